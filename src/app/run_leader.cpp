#include "app/run_leader.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <utility>

#include "app/content_keys.hpp"
#include "app/earlier_run.hpp"
#include "app/library_versions.hpp"
#include "app/results_place.hpp"
#include "app/run_display.hpp"
#include "app/run_steering.hpp"
#include "batch/expectations.hpp"
#include "batch/scheduler.hpp"
#include "batch/session.hpp"
#include "batch/spool/spool.hpp"
#include "batch/supervisor/leader_folder.hpp"
#include "batch/supervisor/rank_end_log.hpp"
#include "core/build_info.hpp"
#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/file.hpp"
#include "core/machine.hpp"
#include "core/random.hpp"
#include "results/json/record_json.hpp"
#include "results/recorder.hpp"
#include "results/show.hpp"
#include "tasks/task.hpp"

namespace edgelab::app {
namespace {

using results::JobRecord;

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

batch::ClusterHosts cluster_hosts(const parallel::HostLayout& layout, const std::vector<results::HostRecord>& hosts) {
  batch::ClusterHosts cluster{layout.host_of_rank, {}};
  for (const results::HostRecord& host : hosts) {
    std::istringstream features(host.features);
    cluster.hosts.push_back({host.name, host.memory_bytes, {std::istream_iterator<std::string>(features), {}}});
  }
  return cluster;
}

// Under a supervisor the ranks may be what crashes have left of those that the batch was checked for: what they can't run is
// then skipped by the scheduler, and the rest goes on.
void refuse_what_cannot_run(const batch::Batch& batch, const batch::ClusterHosts& cluster, bool supervised) {
  std::vector<Error> problems = supervised ? std::vector<Error>() : batch::cannot_run(batch.jobs, cluster);
  for (const tasks::JobSpec& job : batch.jobs) {
    for (Error& problem : tasks::unsupported(job)) problems.push_back(std::move(problem));
  }
  if (!problems.empty()) throw batch::JobFileErrors(std::move(problems));
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

std::vector<std::string> host_names(const batch::Cluster& cluster, const std::vector<int>& ranks) {
  const parallel::HostLayout& layout = cluster.layout();
  std::vector<std::string> names;
  for (const int rank : ranks) names.push_back(layout.names[static_cast<std::size_t>(layout.host_of_rank[static_cast<std::size_t>(rank)])]);
  return names;
}

// What a person is told, in its order. That a job has ended is told once it is on disk, and all later news behind it.
class News {
 public:
  using Telling = std::function<void()>;

  explicit News(results::Recorder& recorder) : recorder_(recorder) {}

  void add(Telling telling) {
    untold_.push_back(std::move(telling));
    tell();
  }

  void add_ended(const JobRecord& record, Telling telling) {
    recorder_.add(record, results::Durability::later);
    add(std::move(telling));
  }

  // What can be told by now.
  void tell() {
    if (untold_.empty() || !recorder_.sync_if_due()) return;
    for (const Telling& telling : untold_) telling();
    untold_.clear();
  }

 private:
  results::Recorder& recorder_;
  std::vector<Telling> untold_;
};

batch::Observer observer_of(const batch::Cluster& cluster, RunDisplay& display, results::Recorder& recorder, News& news) {
  batch::Observer observer;
  observer.started = [&](const tasks::JobSpec& job, int attempt, const std::vector<int>& ranks) {
    recorder.note_fact("start", batch::body_of(batch::StartFact{job.id, attempt, ranks, host_names(cluster, ranks)}), results::Durability::later);
    news.add([&display, id = job.id, attempt, ranks] { display.started(id, attempt, ranks); });
  };
  observer.progress = [&](const tasks::JobSpec& job, double fraction, const std::string& text) {
    news.add([&display, id = job.id, fraction, text] { display.progress(id, fraction, text); });
  };
  observer.will_retry = [&](const tasks::JobSpec& job, int attempt, const std::string& reason) {
    recorder.note_fact("attempt", batch::body_of(batch::AttemptFact{job.id, attempt, true, reason}));
    news.add([&display, id = job.id, reason] { display.will_retry(id, reason); });
  };
  observer.ended = [&](const JobRecord& record) {
    news.add_ended(record, [&display, record] { display.ended(record); });
  };
  observer.rank_lost = [&](int rank, const std::string& reason) {
    display.say(fmt::format("rank {} on {} {}; it gets no more work", rank, host_names(cluster, {rank}).front(), reason));
  };
  observer.turn = [&] {
    news.tell();
    recorder.flush_if_due();
    display.turn();
  };
  return observer;
}

std::function<std::optional<batch::Death>(int)> deaths_in(const std::filesystem::path& folder) {
  return [log = batch::RankEndLog(folder)](int rank) -> std::optional<batch::Death> {
    const std::optional<batch::RankEnd> end = log.find(rank);
    if (!end) return std::nullopt;
    return batch::Death{batch::how_it_ended(*end), batch::last_words_of(*end)};
  };
}

// A batch that can't be reached (a home that can't be written to, say) runs all the same.
std::unique_ptr<batch::spool::Inbox> open_inbox(const batch::Batch& batch, const std::filesystem::path& file, RunDisplay& display) {
  try {
    return std::make_unique<batch::spool::Inbox>(batch::spool::RunningBatch{
        batch.name, "", std::filesystem::absolute(file).string(), this_machine().host_name, getpid(), wall_clock_ns()});
  } catch (const Error& error) {
    display.say(fmt::format("edgelab queue and cancel won't find this run: {}", error.what()));
    return nullptr;
  }
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

const char* why_not_complete(int exit_code) {
  if (exit_code == batch::kRestartWanted) return "what is left needs the lost ranks: a restart is wanted";
  if (exit_code == batch::kHostsWanted) return "a restart is wanted, with the hosts that were away";
  return "interrupted";
}

// A run from its first record to its last.
class RecordedRun {
 public:
  RecordedRun(const RunOptions& options, batch::Cluster& cluster, batch::Batch batch, std::vector<results::HostRecord> hosts)
      : options_(options),
        cluster_(cluster),
        batch_(std::move(batch)),
        file_(results_place(options.out, batch_.name)),
        artifacts_(batch::Artifacts::folder_beside(file_)),
        past_(past_of(file_, options.resume, options.session)),
        known_(cluster_hosts(cluster.layout(), hosts)) {
    if (!options.leader_folder.empty()) supervisor_.emplace(options.leader_folder);
    join_added(batch_, added_to_this());
    refuse_what_cannot_run(batch_, known_, supervised());
    keys_ = content_keys(batch_.jobs);
    recorder_.emplace(file_, header_of(batch_, cluster, std::move(hosts)), options.resume, ids_of(batch_.jobs),
                      supervised() ? options_.session : random_name(), std::vector{artifacts_});
  }

  // From the first assignment on, an error leaves jobs running on other ranks: the end is then not orderly.
  batch::LoopEnd run() {
    batch::LoopEnd end{1, false, false};
    const int error = guarded([&] {
      RunDisplay display(batch_.jobs.size(), wanted_display());
      if (!recorder_->note().empty()) display.say(recorder_->note());
      if (!options_.load.only.empty()) keep_left_out(*recorder_, batch_);
      // Goes last: it waits a moment for whoever has not fetched an answer, and results don't wait for that.
      const std::unique_ptr<batch::spool::Inbox> inbox = open_inbox(batch_, file_, display);
      News news(*recorder_);
      end = lead(display, news, inbox.get());
      recorder_->finish(end.complete);
      news.tell();
      if (!end.complete) {
        display.say(fmt::format("{}; everything finished so far is in {}",
                                why_not_complete(end.exit_code),
                                file_.string()));
      }
    });
    if (error != 0) return {end.exit_code >= 128 ? end.exit_code : error, end.orderly, false};
    if (end.complete && !supervised()) print_summary(options_, *recorder_, file_);  // a supervisor prints it itself
    return end;
  }

 private:
  bool supervised() const { return !options_.session.empty(); }

  // What has joined the batch while it ran. Who asks for some jobs only means those alone, and what joined them since.
  std::vector<batch::AddedFact> added_to_this() const {
    const std::vector<batch::AddedFact>& added = past_.state.added;
    if (options_.load.only.empty()) return added;
    if (!past_.same_session) return {};
    return {added.begin() + static_cast<std::ptrdiff_t>(past_.state.added_before), added.end()};
  }

  batch::Work work(RunDisplay& display) {
    batch::Work work;
    work.jobs = batch_.jobs;
    work.content_keys = keys_;
    work.artifacts = artifacts_;
    work.taken_over = take_over(*recorder_, batch_, keys_, past_, batch::Artifacts(artifacts_));
    recorder_->settle();
    for (const JobRecord& record : work.taken_over) display.taken_over(record);
    work.hosts = known_.hosts;
    work.supervised = supervised();
    if (supervisor_) {
      work.away = supervisor_->away();
      work.death_of = deaths_in(supervisor_->path());
    }
    if (!past_.same_session) return work;
    work.attempts = past_.state.attempts;
    work.cancelled = past_.state.cancelled;
    work.drained = past_.state.drained;
    return work;
  }

  batch::LoopEnd lead(RunDisplay& display, News& news, batch::spool::Inbox* inbox) {
    batch::Cluster::Steering persons;
    if (inbox != nullptr) {
      persons = RunSteering(
          *inbox, *recorder_, allowed_roots(batch_, file_), [this](const batch::Batch& more) { refuse_what_cannot_run(more, known_, false); },
          [&display](const std::string& line) { display.say(line); });
    }
    return cluster_.lead(work(display), observer_of(cluster_, display, *recorder_, news), [this, &persons](batch::Controller& controller) {
      if (persons) persons(controller);
      attend_to_supervisor(controller);
    });
  }

  void attend_to_supervisor(batch::Controller& controller) {
    constexpr std::int64_t kEveryNs = 1'000'000'000;
    if (!supervisor_ || now_ns() < attend_next_ns_) return;
    attend_next_ns_ = now_ns() + kEveryNs;
    supervisor_->beat();
    if (supervisor_->hosts_are_back()) controller.make_way();
  }

  const RunOptions& options_;
  batch::Cluster& cluster_;
  batch::Batch batch_;
  std::filesystem::path file_, artifacts_;
  Past past_;
  batch::ClusterHosts known_;
  std::optional<batch::LeaderFolder> supervisor_;
  std::int64_t attend_next_ns_ = 0;
  std::vector<std::string> keys_;
  std::optional<results::Recorder> recorder_;
};

batch::Batch batch_of(const RunOptions& options) {
  if (options.leader_folder.empty()) return batch::load_batch({options.files.begin(), options.files.end()}, options.load);
  batch::LeaderFolder(options.leader_folder).say_that_leader_is_up();
  return batch::LeaderFolder(options.leader_folder).batch();
}

}  // namespace

batch::LoopEnd lead_run(const RunOptions& options, batch::Cluster& cluster, std::vector<results::HostRecord> hosts) {
  batch::LoopEnd end;
  const int error = guarded([&] {
    end = RecordedRun(options, cluster, batch_of(options), std::move(hosts)).run();
  });
  if (error != 0) end.exit_code = error;
  return end;
}

}  // namespace edgelab::app
