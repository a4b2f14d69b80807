#include "app/results_command.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "app/terminal_look.hpp"
#include "core/error.hpp"
#include "core/file.hpp"
#include "core/log.hpp"
#include "results/compare.hpp"
#include "results/csv_export.hpp"
#include "results/hdf5/run_file.hpp"
#include "results/json/record_json.hpp"
#include "results/repair.hpp"
#include "results/report/report.hpp"
#include "results/schema/markdown.hpp"
#include "results/show.hpp"
#include "results/verify.hpp"

namespace edgelab::app {
namespace {

// What the user wrote; it outlives the parsing, which fills it.
struct Options {
  std::string file, other, folder, out;
  bool json = false, layers = false, force = false;
  double fail_if_slower = -1;
};

using Shared = std::shared_ptr<Options>;

void print_json(const nlohmann::ordered_json& json) {
  std::cout << json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
}

int compare(const Options& options) {
  const auto jobs = results::compare_runs(results::read_run(options.file), results::read_run(options.other));
  if (options.json)
    print_json(results::comparison_json(jobs));
  else
    std::cout << results::comparison_text(jobs, options.file, options.other, look_of_stdout());
  return options.fail_if_slower >= 0 && results::any_slower(jobs, options.fail_if_slower) ? 1 : 0;
}

void export_tables(const Options& options) {
  for (const auto& path : results::export_csv(results::read_run(options.file), options.folder, options.force))
    std::cout << path.string() << "\n";
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
  if (options.out.empty()) out = std::filesystem::path(options.file).replace_extension(".html");
  const std::string title = std::filesystem::path(options.file).filename().string();
  replace_file(out, results::report::html_report(results::read_run(options.file), title));
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

  command = add(group, "compare", "two runs, job by job", options);
  command->add_option("OTHER", options->other, "results file to hold against it")->required();
  command->add_flag("--json", options->json, "one JSON object on stdout and nothing else");
  command
      ->add_option("--fail-if-slower", options->fail_if_slower,
                   "exit code 1 if a job of OTHER is slower by more than this, beyond doubt, or lost")
      ->check(CLI::NonNegativeNumber)
      ->type_name("PERCENT");
  command->callback([options, &exit_code] { exit_code = compare(*options); });

  command = add(group, "export", "one CSV file a table", options);
  command->add_option("--csv", options->folder, "folder for the files")->required()->type_name("DIR");
  command->add_flag("--force", options->force, "write into a folder that is not empty");
  command->callback([options] { export_tables(*options); });

  command = add(group, "verify", "check a file; exit code 1 if it is not sound", options);
  command->add_flag("--json", options->json, "one JSON object on stdout and nothing else");
  command->callback([options, &exit_code] { exit_code = verify(*options); });

  command = add(group, "repair", "make the results file anew from its journal (FILE is either)", options);
  command->callback([options] { repair(*options); });

  command = add(group, "report", "one self-contained HTML page", options);
  command->add_option("--out", options->out, "the page; FILE with .html if not given");
  command->callback([options] { report(*options); });

  command = group->add_subcommand("schema", "what a results file holds, as Markdown")->group("");
  command->callback([] { std::cout << results::schema_markdown(); });
}

}  // namespace edgelab::app
