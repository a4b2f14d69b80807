#include "app/run_steering.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <sstream>
#include <utility>

#include "app/content_keys.hpp"
#include "core/error.hpp"
#include "data/lookup.hpp"

namespace edgelab::app {

using batch::spool::Answer;
using batch::spool::Command;

RunSteering::RunSteering(batch::spool::Inbox& inbox, results::Recorder& recorder, std::vector<std::filesystem::path> roots, Check check, Say say)
    : inbox_(inbox), recorder_(recorder), roots_(std::move(roots)), check_(std::move(check)), say_(std::move(say)) {}

void RunSteering::operator()(batch::Controller& controller) {
  while (const auto letter = inbox_.next()) inbox_.answer(letter->id, carry_out(letter->command, controller));
}

Answer RunSteering::carry_out(const Command& command, batch::Controller& controller) {
  try {
    switch (command.kind) {
      case Command::Kind::queue:
        recorder_.sync();  // what is done is on disk before anybody hears of it
        return {0, "", controller.view()};
      case Command::Kind::cancel: return {0, cancel(command.job, controller), {}};
      case Command::Kind::drain: return {0, drain(command.host, command.drained, controller), {}};
      case Command::Kind::add: return {0, add({command.name, command.text}, controller), {}};
    }
  } catch (const batch::JobFileErrors& errors) {
    return {errors.exit_code(), errors.what(), {}};
  } catch (const Error& error) {
    return {exit_code_of(error.kind()), error.what(), {}};
  }
  return {2, "error: the batch doesn't know this command", {}};
}

std::string RunSteering::cancel(const std::string& job, batch::Controller& controller) {
  controller.refuse_cancel(job);
  recorder_.note_fact("cancelled", batch::cancelled_body(job));
  say_(fmt::format("{}: cancelled by a person", job));
  controller.cancel_job(job);
  return fmt::format("{} is cancelled", job);
}

std::string RunSteering::drain(const std::string& host, bool drained, batch::Controller& controller) {
  controller.refuse_drain(host);
  recorder_.note_fact("drained", batch::drained_body(host, drained));
  say_(drained ? fmt::format("host {} is drained: nothing new starts there", host) : fmt::format("host {} takes jobs again", host));
  controller.drain(host, drained);
  return drained ? fmt::format("{} is drained: what runs there may finish, nothing new starts", host) : fmt::format("{} takes jobs again", host);
}

std::string RunSteering::add(const batch::AddedFact& file, batch::Controller& controller) {
  batch::LoadOptions options;
  options.roots = roots_;
  const batch::Batch batch = batch::load_batch_text(file.name, file.text, options);
  check_(batch);
  controller.refuse_add(batch.jobs);
  std::vector<std::string> keys = content_keys(batch.jobs);
  recorder_.note_fact("added", batch::body_of(file));
  say_(fmt::format("{}: {} {} the batch", file.name, batch.jobs.size(), batch.jobs.size() == 1 ? "job joins" : "jobs join"));
  const std::size_t count = batch.jobs.size();
  controller.add(batch.jobs, std::move(keys));
  return fmt::format("{} {} the batch {}", count, count == 1 ? "job has joined" : "jobs have joined", inbox_.batch().id);
}

std::vector<std::filesystem::path> allowed_roots(const batch::Batch& batch, const std::filesystem::path& results_file) {
  namespace fs = std::filesystem;
  std::vector<fs::path> roots = {fs::current_path(), fs::absolute(results_file).parent_path(), data::default_data_folder()};
  for (const fs::path& file : batch.files) roots.push_back(file.parent_path());
  for (const char* variable : {"EDGELAB_MODELS", "EDGELAB_ROOTS"}) {
    const char* value = std::getenv(variable);
    std::istringstream folders(value == nullptr ? "" : value);
    for (std::string folder; std::getline(folders, folder, ':');) {
      if (!folder.empty()) roots.push_back(fs::absolute(folder));
    }
  }
  return roots;
}

}  // namespace edgelab::app
