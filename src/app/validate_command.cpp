#include "app/validate_command.hpp"

#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "batch/job_file/batch.hpp"

namespace edgelab::app {
namespace {

using Json = nlohmann::ordered_json;

struct Arguments {
  std::vector<std::string> files;
  batch::LoadOptions options;
  bool json = false;
};

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

void print_json(const Json& report) {
  std::cout << report.dump(2, ' ', false, Json::error_handler_t::replace) << std::endl;
}

std::string count_of(std::size_t count, const char* what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

// "3 jobs", "4 hosts with 16 ranks", "3 jobs, 4 hosts with 16 ranks".
std::string counted(const batch::Batch& batch) {
  std::string text = batch.jobs.empty() && batch.cluster ? "" : count_of(batch.jobs.size(), "job");
  if (batch.cluster) {
    text += (text.empty() ? "" : ", ") + count_of(batch.cluster->hosts.size(), "host") + " with " +
            count_of(static_cast<std::size_t>(batch.cluster->ranks()), "rank");
  }
  return text;
}

void report_success(const Arguments& arguments, const batch::Batch& batch) {
  if (!arguments.json) {
    std::cout << joined(arguments.files) << ": " << counted(batch) << ", no errors" << std::endl;
    return;
  }
  Json jobs = Json::array();
  for (const tasks::JobSpec& job : batch.jobs) jobs.push_back(job.id);
  Json hosts = Json::array();
  if (batch.cluster) {
    for (const batch::HostSpec& host : batch.cluster->hosts) hosts.push_back(host.name);
  }
  print_json({{"valid", true},
              {"name", batch.name},
              {"jobs", std::move(jobs)},
              {"hosts", std::move(hosts)},
              {"errors", Json::array()}});
}

void report_errors(const Arguments& arguments, const batch::JobFileErrors& found) {
  for (const Error& error : found.errors()) std::cerr << error.what() << '\n';
  if (!arguments.json) return;
  Json errors = Json::array();
  for (const Error& error : found.errors()) {
    const SourcePlace& place = error.place();
    errors.push_back({{"file", place.file},
                      {"line", place.line},
                      {"column", place.column},
                      {"message", error.what()},
                      {"exit_code", exit_code_of(error.kind())}});
  }
  print_json({{"valid", false}, {"errors", std::move(errors)}});
}

int validate(const Arguments& arguments) {
  const std::vector<std::filesystem::path> files(arguments.files.begin(), arguments.files.end());
  try {
    report_success(arguments, batch::load_batch(files, arguments.options));
    return 0;
  } catch (const batch::JobFileErrors& errors) {
    report_errors(arguments, errors);
    return errors.exit_code();
  }
}

}  // namespace

void add_validate_command(CLI::App& root, int& exit_code) {
  CLI::App* command = root.add_subcommand("validate", "Report every error of job and host files");
  const auto arguments = std::make_shared<Arguments>();
  arguments->options.cluster_suffices = true;
  command->add_option("FILE", arguments->files, "Job files, read as one batch")->required();
  // allow_extra_args(false): one value an option, so that `--set a=1 FILE` leaves FILE alone.
  command->add_option("--set", arguments->options.set, "KEY=VALUE, such as defaults.batch=8 or jobs.ID.ranks=2")
      ->allow_extra_args(false);
  command->add_option("--only", arguments->options.only, "Id of a job or a sweep; what it needs comes with it")
      ->allow_extra_args(false);
  command->add_flag("--json", arguments->json, "Print JSON on stdout");
  command->callback([arguments, &exit_code] { exit_code = validate(*arguments); });
}

}  // namespace edgelab::app
