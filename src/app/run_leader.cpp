#include "app/run_leader.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "app/library_versions.hpp"
#include "app/run_display.hpp"
#include "batch/content_key.hpp"
#include "batch/expectations.hpp"
#include "batch/job_file/needs.hpp"
#include "batch/scheduler.hpp"
#include "core/build_info.hpp"
#include "core/clock.hpp"
#include "core/error.hpp"
#include "results/json/record_json.hpp"
#include "results/recorder.hpp"
#include "results/show.hpp"
#include "tasks/task.hpp"

namespace edgelab::app {
namespace {

using results::JobRecord;
using results::Status;

void print_error(const std::string& text) { fmt::print(stderr, "{}\n", text); }

// One attempt at `body`; what it throws is printed and becomes an exit code, 0 if it threw nothing.
template <class Body> int guarded(Body body) {
  try {
    body();
    return 0;
  } catch (const batch::JobFileErrors& errors) {
    for (const Error& error : errors.errors()) print_error(error.what());
    return errors.exit_code();
  } catch (const Error& error) {
    print_error(error.what());
    return exit_code_of(error.kind());
  } catch (const std::exception& error) {
    print_error(fmt::format("error: {}", error.what()));
    return 1;
  }
}

void refuse_what_cannot_run(const batch::Batch& batch, int ranks) {
  std::vector<Error> problems = batch::too_wide(batch.jobs, ranks);
  for (const tasks::JobSpec& job : batch.jobs) {
    for (Error& problem : tasks::unsupported(job)) problems.push_back(std::move(problem));
  }
  if (!problems.empty()) throw batch::JobFileErrors(std::move(problems));
}

// Members of a sweep read the same files: each set of inputs is hashed once.
class InputHashes {
 public:
  std::vector<std::pair<std::string, std::string>> of(const tasks::JobSpec& job) {
    const nlohmann::json resolved = nlohmann::json::parse(job.resolved);
    nlohmann::json inputs = {static_cast<int>(job.task), resolved.value("data", nlohmann::json{})};
    inputs.push_back(job.model.weights.path);
    inputs.push_back(job.model.arch);
    const std::string key = inputs.dump();
    const auto found = known_.find(key);
    if (found != known_.end()) return found->second;
    return known_.emplace(key, tasks::input_hashes(job)).first->second;
  }

 private:
  std::map<std::string, std::vector<std::pair<std::string, std::string>>> known_;
};

std::vector<std::string> content_keys(const std::vector<tasks::JobSpec>& jobs) {
  const batch::NeedsGraph graph(jobs);
  const std::string binary = batch::binary_hash();
  InputHashes hashes;
  std::vector<std::string> keys(jobs.size());
  std::vector<Error> problems;
  for (const std::size_t index : graph.order()) {
    try {
      batch::ContentParts parts{jobs[index].resolved, hashes.of(jobs[index]), binary, {}};
      for (const std::size_t need : graph.needs(index)) parts.needs.push_back(keys[need]);
      keys[index] = batch::content_key(parts);
    } catch (Error& error) {
      problems.push_back(std::move(error).at(error.place().file.empty() ? jobs[index].place : error.place()));
    }
  }
  if (!problems.empty()) throw batch::JobFileErrors(std::move(problems));
  return keys;
}

std::string command_line() {
  std::ifstream file("/proc/self/cmdline");
  std::string text{std::istreambuf_iterator<char>(file), {}};
  while (!text.empty() && text.back() == '\0') text.pop_back();
  std::replace(text.begin(), text.end(), '\0', ' ');
  return text;
}

results::RunRecord header_of(const batch::Batch& batch, const batch::Cluster& cluster, std::vector<results::HostRecord> hosts) {
  results::RunRecord run;
  results::Provenance& provenance = run.provenance;
  provenance.edgelab_version = build_info::version();
  provenance.git_commit = build_info::git_commit();
  provenance.git_dirty = build_info::git_dirty();
  provenance.build_flags = fmt::format("{}; {}", build_info::compiler(), build_info::flags());
  provenance.command_line = command_line();
  for (const std::filesystem::path& file : batch.files) provenance.job_file += (provenance.job_file.empty() ? "" : "\n") + file.string();
  provenance.resolved = batch.resolved;
  provenance.library_versions = library_versions();
  provenance.start_wall_ns = wall_clock_ns();
  provenance.ranks = static_cast<int>(cluster.layout().host_of_rank.size());
  provenance.hosts_expected = provenance.hosts_seen = cluster.layout().hosts();
  run.hosts = std::move(hosts);
  return run;
}

// The results file, its folder made if need be.
std::filesystem::path output_path(const RunOptions& options, const batch::Batch& batch) {
  std::string name = batch.name;
  std::replace(name.begin(), name.end(), '/', '_');
  const std::filesystem::path file = options.out.empty() ? std::filesystem::path("results") / (name + ".h5") : std::filesystem::path(options.out);
  std::error_code ignored;  // if it can't be made, opening the file says why
  if (file.has_parent_path()) std::filesystem::create_directories(file.parent_path(), ignored);
  return file;
}

std::vector<std::string> ids_of(const std::vector<tasks::JobSpec>& jobs) {
  std::vector<std::string> ids;
  for (const tasks::JobSpec& job : jobs) ids.push_back(job.id);
  return ids;
}

// With --only the other jobs of the earlier run stay in the file, whatever became of them.
void keep_left_out(results::Recorder& recorder, const batch::Batch& batch) {
  const std::vector<std::string> list = ids_of(batch.jobs);
  const std::set<std::string> here(list.begin(), list.end());
  std::vector<std::string> others;
  for (const JobRecord& record : recorder.earlier()) {
    if (here.count(record.id) == 0) others.push_back(record.id);
  }
  for (const std::string& id : others) recorder.take_over(id);
}

// Done jobs of the earlier run that are the same job still. One whose logits are to be compared must have left them.
std::vector<JobRecord> take_over(results::Recorder& recorder, const batch::Batch& batch, const std::vector<std::string>& keys, RunDisplay& display) {
  const std::vector<std::string> list = batch::jobs_whose_logits_matter(batch.jobs);
  const std::set<std::string> wants_logits(list.begin(), list.end());
  std::map<std::string, const JobRecord*> earlier;
  for (const JobRecord& record : recorder.earlier()) earlier[record.id] = &record;
  std::vector<JobRecord> taken;
  for (std::size_t i = 0; i < batch.jobs.size(); ++i) {
    const auto found = earlier.find(batch.jobs[i].id);
    if (found == earlier.end()) continue;
    const JobRecord& record = *found->second;
    if (record.status != Status::done || record.content_key != keys[i]) continue;
    if (wants_logits.count(record.id) > 0 && record.logits.empty()) continue;
    taken.push_back(recorder.take_over(record.id));
    display.taken_over(taken.back().id);
  }
  return taken;
}

batch::Observer observer_of(RunDisplay& display, results::Recorder& recorder) {
  batch::Observer observer;
  observer.started = [&](const tasks::JobSpec& job, int attempt, const std::vector<int>& ranks) { display.started(job.id, attempt, ranks); };
  observer.progress = [&](const tasks::JobSpec& job, double fraction, const std::string& text) { display.progress(job.id, fraction, text); };
  observer.will_retry = [&](const tasks::JobSpec& job, const std::string& reason) { display.will_retry(job.id, reason); };
  observer.ended = [&](const JobRecord& record) {
    recorder.add(record);  // before anybody hears of it
    display.ended(record);
  };
  observer.turn = [&] {
    recorder.flush_if_due();
    display.turn();
  };
  return observer;
}

results::Look look_of_stdout() {
  results::Look look;
  winsize size{};
  // mpirun gives its ranks a terminal of its own for stdout, wherever its own output goes; stderr tells the truth.
  if (isatty(STDOUT_FILENO) == 0 || isatty(STDERR_FILENO) == 0) return look;
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) look.width = std::clamp<int>(size.ws_col, 60, 160);
  look.colour = std::getenv("NO_COLOR") == nullptr;
  return look;
}

void print_summary(const RunOptions& options, const results::Recorder& recorder, const std::filesystem::path& file) {
  using Json = nlohmann::ordered_json;
  if (options.json) {
    fmt::print("{}\n", results::shown_json(recorder.run()).dump(2, ' ', false, Json::error_handler_t::replace));
  } else {
    fmt::print("\n{}", results::shown_text(recorder.run(), file.string(), false, look_of_stdout()));
  }
  std::fflush(stdout);
}

// From the first assignment on, an error leaves jobs running on other ranks: the end is then not orderly.
batch::LoopEnd run_recorded(const RunOptions& options, batch::Cluster& cluster, const batch::Batch& batch, const std::vector<std::string>& keys,
                            results::Recorder& recorder, const std::filesystem::path& file) {
  batch::LoopEnd end{1, false};
  const int error = guarded([&] {
    RunDisplay display(batch.jobs.size(), wanted_display());
    if (!recorder.note().empty()) display.say(recorder.note());
    if (!options.load.only.empty()) keep_left_out(recorder, batch);
    batch::Work work{batch.jobs, keys, take_over(recorder, batch, keys, display)};
    end = cluster.lead(std::move(work), observer_of(display, recorder));
    recorder.finish(end.orderly);
    if (!end.orderly) display.say(fmt::format("interrupted; everything finished so far is in {}", file.string()));
  });
  if (error != 0) return {end.exit_code >= 128 ? end.exit_code : error, end.orderly};
  if (end.orderly) print_summary(options, recorder, file);
  return end;
}

}  // namespace

batch::LoopEnd lead_run(const RunOptions& options, batch::Cluster& cluster, std::vector<results::HostRecord> hosts) {
  batch::LoopEnd end;
  const int error = guarded([&] {
    const batch::Batch batch = batch::load_batch({options.files.begin(), options.files.end()}, options.load);
    refuse_what_cannot_run(batch, static_cast<int>(cluster.layout().host_of_rank.size()));
    const std::vector<std::string> keys = content_keys(batch.jobs);
    const std::filesystem::path file = output_path(options, batch);
    results::Recorder recorder(file, header_of(batch, cluster, std::move(hosts)), options.resume, ids_of(batch.jobs));
    end = run_recorded(options, cluster, batch, keys, recorder, file);
  });
  if (error != 0) end.exit_code = error;
  return end;
}

}  // namespace edgelab::app
