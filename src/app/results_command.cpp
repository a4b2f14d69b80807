#include "app/results_command.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "app/compare_command.hpp"
#include "app/print_json.hpp"
#include "app/terminal_look.hpp"
#include "core/error.hpp"
#include "core/file.hpp"
#include "core/log.hpp"
#include "results/csv_export.hpp"
#include "results/hdf5/run_file.hpp"
#include "results/json/record_json.hpp"
#include "results/repair.hpp"
#include "results/report/report.hpp"
#include "results/schema/markdown.hpp"
#include "results/show.hpp"
#include "results/trace_export.hpp"
#include "results/verify.hpp"

namespace edgelab::app {
namespace {

// What the user wrote; it outlives the parsing, which fills it.
struct Options {
  std::string file, folder, out, trace;
  std::vector<std::string> files;
  bool json = false, layers = false, force = false;
};

using Shared = std::shared_ptr<Options>;

// Into one file, if there is to be one.
template <class Make> void export_json(const std::string& file, const Options& options, Make make) {
  if (file.empty()) return;
  if (std::filesystem::exists(file) && !options.force)
    throw Error(ErrorKind::usage, "the file is there already").at({file}).hint("name a new one, or say --force to replace it");
  replace_file(file, make().dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
  std::cout << file << "\n";
}

void export_tables(const Options& options) {
  if (options.folder.empty() && options.out.empty() && options.trace.empty())
    throw Error(ErrorKind::usage, "there is nothing to export to").expected("--csv DIR, --json OUT, --trace OUT, or several of them");
  const results::RunRecord run = results::read_run(options.file);
  export_json(options.out, options, [&] { return results::exported_json(run); });
  export_json(options.trace, options, [&] { return results::trace_events(run); });
  if (options.folder.empty()) return;
  for (const auto& path : results::export_csv(run, options.folder, options.force)) std::cout << path.string() << "\n";
}

int verify(const Options& options) {
  const std::vector<std::string> problems = results::problems_of(options.file);
  if (options.json) {
    print_json({{"sound", problems.empty()}, {"problems", problems}});
  } else {
    for (const std::string& problem : problems) std::cout << results::safe_for_terminal(problem) << "\n";
    std::cout << options.file
              << (problems.empty()
                      ? ": sound\n"
                      : fmt::format(": not sound, {} problem{}\n", problems.size(), problems.size() == 1 ? "" : "s"));
  }
  return problems.empty() ? 0 : 1;
}

void repair(const Options& options) {
  const results::Repair repair = results::repair_results(options.file);
  if (!repair.note.empty()) log::warning(repair.note);
  std::cout << repair.results_file.string() << ": " << repair.jobs << (repair.jobs == 1 ? " job" : " jobs")
            << (repair.complete ? ", complete\n" : ", the run was not complete\n");
}

void report(const Options& options) {
  std::filesystem::path out = options.out;
  if (options.out.empty()) out = std::filesystem::path(options.files.front()).replace_extension(".html");
  std::vector<results::Side> sides;
  std::string title;
  for (const std::string& file : options.files) {
    const std::string name = std::filesystem::path(file).filename().string();
    title += (title.empty() ? "" : ", ") + name;
    sides.push_back({name, {results::read_run(file)}});
  }
  replace_file(out, results::report::html_report(sides, title));
  std::cout << out.string() << "\n";
}

CLI::App* add(CLI::App* group, const char* name, const char* description, const Shared& options) {
  CLI::App* command = group->add_subcommand(name, description);
  command->add_option("FILE", options->file, "results file")->required();
  return command;
}

}  // namespace

void show_results(const std::string& file, bool json, bool layers) {
  const results::RunRecord run = results::read_run(file);
  if (json)
    print_json(results::shown_json(run));
  else
    std::cout << results::shown_text(run, file, layers, look_of_stdout());
}

void add_results_command(CLI::App& root, int& exit_code) {
  const auto options = std::make_shared<Options>();
  CLI::App* group = root.add_subcommand("results", "look at, compare, check and export results files");
  group->require_subcommand(1);

  CLI::App* command = add(group, "show", "tables of a run", options);
  command->add_flag("--json", options->json, "one JSON object on stdout and nothing else");
  command->add_flag("--layers", options->layers, "layer by layer too");
  command->callback([options] { show_results(options->file, options->json, options->layers); });

  add_compare_command(*group, exit_code);

  command = add(group, "export", "for other programs: one CSV file a table, all of it as JSON, or a trace for Perfetto", options);
  command->add_option("--csv", options->folder, "folder for the tables")->type_name("DIR");
  command->add_option("--json", options->out, "one file with everything")->type_name("OUT");
  command->add_option("--trace", options->trace, "who worked on what when, for ui.perfetto.dev")->type_name("OUT");
  command->add_flag("--force", options->force, "write into a folder that is not empty, and over a file");
  command->callback([options] { export_tables(*options); });

  command = add(group, "verify", "check a file; exit code 1 if it is not sound", options);
  command->add_flag("--json", options->json, "one JSON object on stdout and nothing else");
  command->callback([options, &exit_code] { exit_code = verify(*options); });

  command = add(group, "repair", "make the results file anew from its journal (FILE is either)", options);
  command->callback([options] { repair(*options); });

  command = group->add_subcommand("report", "one self-contained HTML page; of several files, a comparison with the first");
  command->add_option("FILE", options->files, "results files")->required();
  command->add_option("--out", options->out, "the page; FILE with .html if not given");
  command->callback([options] { report(*options); });

  command = group->add_subcommand("schema", "what a results file holds, as Markdown")->group("");
  command->callback([] { std::cout << results::schema_markdown(); });
}

}  // namespace edgelab::app
