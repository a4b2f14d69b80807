#include "app/compare_command.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "app/print_json.hpp"
#include "app/terminal_look.hpp"
#include "core/clock.hpp"
#include "core/error.hpp"
#include "results/compare/baseline.hpp"
#include "results/compare/comparison.hpp"
#include "results/compare/shown.hpp"
#include "results/hdf5/run_file.hpp"
#include "results/text/units.hpp"

namespace edgelab::app {
namespace {

struct Options {
  std::vector<std::string> files, against;
  std::string baseline;
  bool json = false, accept = false, force = false;
  double fail_if_slower = -1, fail_if_worse = -1;
};

results::Side side_of(const std::vector<std::string>& files) {
  results::Side side;
  side.name = files.front() + (files.size() > 1 ? fmt::format(" and {} more", files.size() - 1) : "");
  for (const std::string& file : files) side.runs.push_back(results::read_run(file));
  return side;
}

bool broken(const Options& options, const results::Comparison& comparison) {
  return (options.fail_if_slower >= 0 && results::any_slower(comparison, options.fail_if_slower)) ||
         (options.fail_if_worse >= 0 && results::any_worse(comparison, options.fail_if_worse));
}

int compare_files(const Options& options) {
  const bool two = options.against.empty() && options.files.size() == 2;
  if (!two && options.against.empty()) {
    throw Error(ErrorKind::usage, "compare needs two sides")
        .got(fmt::format("{} files", options.files.size()))
        .expected("two files, or FILE… --against FILE…")
        .hint("say --baseline FILE to compare with what was accepted before");
  }
  const results::Comparison comparison =
      two ? results::compare_sides(side_of({options.files[0]}), side_of({options.files[1]}))
          : results::compare_sides(side_of(options.files), side_of(options.against));
  if (options.json)
    print_json(results::comparison_json(comparison));
  else
    std::cout << results::comparison_text(comparison, look_of_stdout());
  return broken(options, comparison) ? 1 : 0;
}

int accept(const Options& options, const results::Side& now, bool refused) {
  if (!options.accept) return refused ? 1 : 0;
  if (refused && !options.force) {
    std::cerr << "not accepted into " << options.baseline << "; --force accepts it all the same\n";
    return 1;
  }
  results::accept_into_baseline(options.baseline, now, wall_clock_ns());
  if (!options.json) std::cout << "accepted into " << options.baseline << "\n";
  return 0;
}

int compare_with_baseline(const Options& options) {
  const results::Side now = side_of(options.files);
  const auto accepted = results::of_same_machines(results::read_baseline(options.baseline), now);
  if (accepted.empty()) {
    if (!options.accept) {
      throw Error(ErrorKind::usage, "the baseline holds no run of this machine")
          .at({options.baseline})
          .hint("say --accept to put these runs in");
    }
    if (options.json) print_json({{"jobs", nlohmann::ordered_json::object()}});
    return accept(options, now, false);
  }
  results::Side before = accepted.back().side;
  before.name += ", accepted " + results::time_text(accepted.back().accepted_wall_ns);
  const results::Comparison comparison = results::compare_sides(before, now);
  if (options.json) {
    nlohmann::ordered_json json = results::comparison_json(comparison);
    json["trend"] = results::trend_json(accepted, now);
    print_json(json);
  } else {
    std::cout << results::comparison_text(comparison, look_of_stdout()) << "\n"
              << results::trend_text(accepted, now, look_of_stdout());
  }
  return accept(options, now, broken(options, comparison));
}

int compare(const Options& options) {
  if (options.baseline.empty() && options.accept) throw Error(ErrorKind::usage, "--accept needs --baseline FILE");
  if (!options.baseline.empty() && !options.against.empty())
    throw Error(ErrorKind::usage, "--baseline and --against are two ways to say the same").hint("leave one out");
  return options.baseline.empty() ? compare_files(options) : compare_with_baseline(options);
}

}  // namespace

void add_compare_command(CLI::App& group, int& exit_code) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = group.add_subcommand("compare", "runs held against others, job by job");
  command
      ->add_option("FILE", options->files,
                   "results files: A and B, or with --against all of A, or with --baseline all of B")
      ->required();
  command->add_option("--against", options->against, "results files of side B, when a side is several processes")
      ->type_name("FILE");
  command->add_option("--baseline", options->baseline, "hold FILE against what was accepted here before")
      ->type_name("FILE");
  command->add_flag("--accept", options->accept, "put FILE into the baseline, unless a --fail-if says no");
  command->add_flag("--force", options->force, "accept even then");
  command->add_flag("--json", options->json, "one JSON object on stdout and nothing else");
  command
      ->add_option("--fail-if-slower", options->fail_if_slower,
                   "exit code 1 if a job of B is slower by more than this, beyond doubt, or lost; small differences take five files a side")
      ->check(CLI::NonNegativeNumber)
      ->type_name("PERCENT");
  command
      ->add_option("--fail-if-worse", options->fail_if_worse,
                   "exit code 1 if a job of B lost more top-1 than this, beyond doubt")
      ->check(CLI::NonNegativeNumber)
      ->type_name("POINTS");
  command->callback([options, &exit_code] { exit_code = compare(*options); });
}

}  // namespace edgelab::app
