#include "app/steering_commands.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>

#include "app/top_command.hpp"
#include "batch/spool/spool.hpp"
#include "core/error.hpp"
#include "results/text/table.hpp"

namespace edgelab::app {
namespace {

using batch::QueueRow;
using batch::QueueView;
using batch::spool::Answer;
using batch::spool::Command;
using batch::spool::RunningBatch;
using results::safe_for_terminal;

struct Options {
  std::string batch, host;
  std::vector<std::string> jobs;
  bool json = false, watch = false, undo = false;
};

// Prints what the batch answered, an error on stderr, and returns the exit code.
int print(const Answer& answer) {
  std::istringstream lines(answer.text);  // one an error of a job file
  for (std::string line; std::getline(lines, line);) std::fprintf(answer.exit_code == 0 ? stdout : stderr, "%s\n", safe_for_terminal(line).c_str());
  return answer.exit_code;
}

Answer look_at(const RunningBatch& batch) {
  Answer answer = batch::spool::ask(batch, {});
  if (answer.exit_code != 0) throw Error(ErrorKind::environment, fmt::format("the batch {} says: {}", batch.id, answer.text));
  return answer;
}

std::string duration(std::int64_t ns) {
  const std::int64_t seconds = ns / 1'000'000'000;
  return fmt::format("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
}

std::string note_of(const QueueRow& row) {
  if (row.state != "running") return row.text;
  std::string note = fmt::format("{:.0f} %", 100 * row.fraction);
  if (!row.text.empty()) note += ", " + row.text;
  return row.attempt > 1 ? fmt::format("attempt {}, {}", row.attempt, note) : note;
}

std::string table_of(const RunningBatch& batch, const QueueView& view) {
  std::string text = fmt::format("{} on {}, {} of {} ranks free; {} jobs: {} running, {} waiting, {} done, {} failed, {} skipped\n",
                                 safe_for_terminal(batch.id), safe_for_terminal(batch.host), view.free_ranks, view.ranks, view.jobs, view.running,
                                 view.waiting, view.done, view.failed, view.skipped);
  for (const std::string& host : view.drained) text += fmt::format("drained: {}\n", safe_for_terminal(host));
  for (const std::string& rank : view.lost_ranks) text += fmt::format("lost: {}\n", safe_for_terminal(rank));
  std::size_t width = 3, hosts = 5;
  for (const QueueRow& row : view.rows) {
    width = std::max(width, row.id.size());
    hosts = std::max(hosts, row.hosts.size());
  }
  text += fmt::format("{:<{}}  {:<8} {:>8} {:>5}  {:<{}}  {}\n", "job", width, "state", "time", "ranks", "hosts", hosts, "doing, or waiting for");
  for (const QueueRow& row : view.rows) {
    text += fmt::format("{:<{}}  {:<8} {:>8} {:>5}  {:<{}}  {}\n", safe_for_terminal(row.id), width, row.state,
                        row.running_ns > 0 ? duration(row.running_ns) : "", row.ranks, safe_for_terminal(row.hosts), hosts,
                        safe_for_terminal(note_of(row)));
  }
  if (view.waiting > QueueView::kMostWaitingRows) text += fmt::format("… and {} more waiting\n", view.waiting - QueueView::kMostWaitingRows);
  return text;
}

nlohmann::ordered_json json_of(const RunningBatch& batch, const QueueView& view) {
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (const QueueRow& row : view.rows) {
    rows.push_back({{"id", row.id}, {"state", row.state}, {"attempt", row.attempt}, {"ranks", row.ranks}, {"hosts", row.hosts},
                    {"running_ns", row.running_ns}, {"fraction", row.fraction}, {"text", row.text},
                    {"losses", row.losses}, {"samples_per_second", row.rates}, {"left_ns", row.left_ns}});
  }
  return {{"schema", "edgelab-queue/1"}, {"batch", batch.id},        {"name", batch.name},       {"host", batch.host},
          {"results_file", batch.results_file}, {"ranks", view.ranks}, {"free_ranks", view.free_ranks}, {"jobs", view.jobs},
          {"running", view.running},     {"waiting", view.waiting}, {"done", view.done},        {"failed", view.failed},
          {"skipped", view.skipped},     {"drained", view.drained}, {"lost_ranks", view.lost_ranks}, {"rows", rows}};
}

std::vector<RunningBatch> asked_for(const std::string& name) {
  if (!name.empty()) return {batch::spool::find_batch(name)};
  return batch::spool::running_batches();
}

void queue(const Options& options) {
  const std::vector<RunningBatch> batches = asked_for(options.batch);
  if (options.json) {
    nlohmann::ordered_json all = nlohmann::ordered_json::array();
    for (const RunningBatch& batch : batches) all.push_back(json_of(batch, look_at(batch).view));
    fmt::print("{}\n", all.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
    return;
  }
  if (batches.empty()) fmt::print("no batch of yours is running\n");
  for (const RunningBatch& batch : batches) fmt::print("{}", table_of(batch, look_at(batch).view));
}

int cancel(const Options& options) {
  const RunningBatch batch = batch::spool::find_batch(options.batch);
  int worst = 0;
  for (const std::string& job : options.jobs) {
    Command command;
    command.kind = Command::Kind::cancel;
    command.job = job;
    worst = std::max(worst, print(batch::spool::ask(batch, command)));
  }
  return worst;
}

int drain(const Options& options) {
  Command command;
  command.kind = Command::Kind::drain;
  command.host = options.host;
  command.drained = !options.undo;
  return print(batch::spool::ask(batch::spool::find_batch(options.batch), command));
}

CLI::App* add(CLI::App& root, const char* name, const char* description, const std::shared_ptr<Options>& options) {
  CLI::App* command = root.add_subcommand(name, description);
  command->add_option("--batch", options->batch, "Name or id of the batch; not needed where one runs");
  return command;
}

}  // namespace

int join_running_batch(const std::vector<std::string>& files, const batch::LoadOptions& load, const std::string& name) {
  const batch::Batch batch = batch::load_batch({files.begin(), files.end()}, load);
  Command command;
  command.kind = Command::Kind::add;
  command.name = files.front();
  command.text = batch.resolved;
  return print(batch::spool::ask(batch::spool::find_batch(name), command));
}

void add_steering_commands(CLI::App& root, int& exit_code) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = add(root, "queue", "What runs and what waits in the batches that run now", options);
  command->add_flag("--watch", options->watch, "The same as edgelab top");
  command->add_flag("--json", options->json, "JSON on stdout")->excludes("--watch");
  command->callback([options] { options->watch ? watch_batch(options->batch) : queue(*options); });

  command = add(root, "cancel", "End jobs of a running batch, or take them out of its queue", options);
  command->add_option("ID", options->jobs, "Jobs")->required();
  command->callback([options, &exit_code] { exit_code = cancel(*options); });

  command = add(root, "drain", "Start nothing more on a host; what runs there may finish", options);
  command->add_option("HOST", options->host, "As edgelab queue names it")->required();
  command->add_flag("--undo", options->undo, "Let it have jobs again");
  command->callback([options, &exit_code] { exit_code = drain(*options); });
}

}  // namespace edgelab::app
