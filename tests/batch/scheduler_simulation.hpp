#pragma once

#include <gtest/gtest.h>
#include <time.h>

#include <algorithm>
#include <map>
#include <queue>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "batch/scheduler.hpp"
#include "core/random.hpp"
#include "scheduler_support.hpp"

namespace edgelab::batch::test {

// What a decision takes of a core; a wall clock would also count what else the machine does meanwhile.
inline std::int64_t thread_cpu_ns() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return time.tv_sec * 1'000'000'000 + time.tv_nsec;
}

struct SimulationPlan {
  std::size_t jobs = 10'000;
  int hosts = 16, ranks_per_host = 4;
  int bounded_percent = 50;  // jobs with a time limit
  bool disturbed = false;    // hosts are drained and taken back, ranks are lost, jobs are cancelled and added
  bool judged = false;       // every start that passes others is judged: O(jobs + ranks) each
};

// Hosts differ: every other has 8 GB, every fourth has dotprod too.
inline ClusterHosts mixed_hosts(const SimulationPlan& plan) {
  ClusterHosts cluster = hosts_with(std::vector<int>(static_cast<std::size_t>(plan.hosts), plan.ranks_per_host));
  for (std::size_t host = 0; host < cluster.hosts.size(); ++host) {
    cluster.hosts[host].memory_bytes = host % 2 == 0 ? 8 : 4;
    if (host % 4 == 0) cluster.hosts[host].features = {"asimddp"};
  }
  return cluster;
}

// A scheduler against a simulated cluster: events in virtual time, every start and every skip checked by a model of its own.
class Simulation {
 public:
  Simulation(const SimulationPlan& plan, std::uint64_t seed)
      : plan_(plan),
        random_(seed),
        cluster_(mixed_hosts(plan)),
        jobs_(random_jobs(plan.jobs, 0)),
        scheduler_(jobs_, cluster_),
        tracks_(jobs_.size()),
        ranks_(cluster_.host_of_rank.size()),
        drained_(cluster_.hosts.size(), false) {}

  void run() {
    decide([&] { return scheduler_.begin(now_); });
    for (std::size_t steps = 0; !scheduler_.finished() && !testing::Test::HasFatalFailure(); ++steps) {
      const std::optional<std::int64_t> wake = scheduler_.next_wake();
      ASSERT_TRUE(wake || !events_.empty()) << "the batch hangs";
      if (plan_.disturbed && random_.below(20) == 0) disturb();
      if (scheduler_.finished()) break;
      if (wake && (events_.empty() || *wake < events_.top().time)) {
        now_ = std::max(now_, *wake);
        decide([&] { return scheduler_.tick(now_); });
      } else if (!events_.empty()) {
        const Event event = events_.top();
        events_.pop();
        now_ = event.time;
        event.rank >= 0 ? free_rank(event.rank) : end_attempt(event.job, event.ok);
      }
      if (plan_.judged || steps % 100 == 0) {
        ASSERT_EQ(scheduler_.free_ranks(), idle_ranks());
      }
    }
  }

  std::size_t ended(const char* how) const {
    return static_cast<std::size_t>(
        std::count_if(tracks_.begin(), tracks_.end(), [&](const Track& track) { return track.end == how; }));
  }
  std::size_t jobs() const { return jobs_.size(); }
  const std::string& log() const { return log_; }

  struct Decision {
    std::int64_t ns = 0, work = 0;
    std::size_t starts = 0;
  };
  std::vector<Decision> decisions;
  int on_trust = 0, proven = 0, promises_kept = 0;

 private:
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  struct Event {
    std::int64_t time;
    std::size_t sequence;
    std::size_t job;
    int rank;  // -1: the job's end
    bool ok;
    bool operator<(const Event& other) const { return std::tie(other.time, other.sequence) < std::tie(time, sequence); }
  };
  struct Track {
    std::string end;  // "done", "failed", "skipped"; "" for an open job
    int attempts = 0;
    bool running = false, cancelled = false;
    int passed_on_trust = 0;
    std::int64_t not_before = 0;  // rests until then
  };
  struct RankState {
    bool taken = false, lost = false;
    std::int64_t free_by = 0;
  };
  struct Promise {
    std::size_t job;
    std::int64_t time;
  };

  std::vector<JobRequest> random_jobs(std::size_t count, std::size_t first) {
    std::vector<JobRequest> jobs(count);
    const int all = plan_.hosts * plan_.ranks_per_host;
    for (std::size_t i = 0; i < count; ++i) {
      JobRequest& job = jobs[i];
      const std::size_t number = first + i;
      job.id = "job" + std::to_string(number);
      const std::uint64_t kind = random_.below(100);
      const int most = std::max(1, kind < 60 ? 1 : kind < 90 ? all / 8 : kind < 99 ? all / 2 : all);
      job.ranks = kind == 99 ? all : 1 + static_cast<int>(random_.below(static_cast<std::uint64_t>(most)));
      job.priority = static_cast<int>(random_.below(3));
      job.retries = static_cast<int>(random_.below(3));
      if (random_.below(100) < static_cast<std::uint64_t>(plan_.bounded_percent))
        job.bound_ns = (1 + static_cast<std::int64_t>(random_.below(10))) * kSecond;
      if (random_.below(4) == 0) job.placement = tasks::Placement::spread;
      demand_something(job);
      for (std::uint64_t n = random_.below(3); n > 0 && number > 0; --n) {
        const std::size_t need =
            number - 1 - static_cast<std::size_t>(random_.below(std::min<std::uint64_t>(number, 50)));
        if (std::find(job.needs.begin(), job.needs.end(), need) == job.needs.end()) job.needs.push_back(need);
      }
      if (random_.below(10) == 0) {
        job.sweep = "sweep" + std::to_string(number / 100);
        job.max_parallel = 2;
      }
    }
    return jobs;
  }

  void demand_something(JobRequest& job) {
    const std::uint64_t kind = random_.below(10);
    if (kind < 7) return;
    job.demand.emplace();
    if (kind != 8) job.demand->memory_bytes = 8;
    if (kind != 7) job.demand->features = {"neon-dotprod"};
    const int all = plan_.hosts * plan_.ranks_per_host;
    job.ranks = std::min(job.ranks, std::max(1, all / 4));
  }

  template <class Decide>
  void decide(Decide ask) {
    const std::int64_t start = thread_cpu_ns(), work = scheduler_.work();
    const Actions actions = ask();
    decisions.push_back({thread_cpu_ns() - start, scheduler_.work() - work, actions.start.size()});
    for (const Skip& action : actions.skip) note_skip(action);  // first: starts are judged by who is left
    for (const Start& action : actions.start) begin_attempt(action);
    if (plan_.judged) note_promise();
  }

  bool admits(int host, const JobRequest& job) const {
    const HostAbility& ability = cluster_.hosts[static_cast<std::size_t>(host)];
    if (!job.demand) return true;
    return ability.memory_bytes >= job.demand->memory_bytes.value_or(0) &&
           (job.demand->features.empty() || !ability.features.empty());
  }
  int host_of(std::size_t rank) const { return cluster_.host_of_rank[rank]; }
  bool takes_jobs(std::size_t rank) const {
    return !ranks_[rank].lost && !drained_[static_cast<std::size_t>(host_of(rank))];
  }

  template <class Predicate>
  int count_ranks(Predicate predicate) const {
    int count = 0;
    for (std::size_t rank = 0; rank < ranks_.size(); ++rank) count += predicate(rank) ? 1 : 0;
    return count;
  }
  int idle_ranks() const {
    return count_ranks([&](std::size_t rank) { return takes_jobs(rank) && !ranks_[rank].taken; });
  }
  int alive_for(const JobRequest& job) const {
    return count_ranks([&](std::size_t rank) { return !ranks_[rank].lost && admits(host_of(rank), job); });
  }
  int usable_for(const JobRequest& job) const {
    return count_ranks([&](std::size_t rank) { return takes_jobs(rank) && admits(host_of(rank), job); });
  }

  bool goes_before(std::size_t a, std::size_t b) const {
    return std::pair(-jobs_[a].priority, a) < std::pair(-jobs_[b].priority, b);
  }

  // When the job would have its ranks if every attempt ran to its bound and nothing else started; kNoBound: nobody knows.
  std::int64_t earliest(const JobRequest& job) const {
    std::vector<std::int64_t> times;
    for (std::size_t rank = 0; rank < ranks_.size(); ++rank) {
      if (takes_jobs(rank) && admits(host_of(rank), job))
        times.push_back(ranks_[rank].taken ? std::max(now_, ranks_[rank].free_by) : now_);
    }
    if (static_cast<int>(times.size()) < job.ranks) return JobQueue::kNoBound;
    std::sort(times.begin(), times.end());
    return times[static_cast<std::size_t>(job.ranks) - 1];
  }

  // The first of the jobs that wait for nothing but ranks, and could have them.
  std::optional<std::size_t> head() const {
    std::optional<std::size_t> first;
    for (std::size_t job = 0; job < jobs_.size(); ++job) {
      if (!tracks_[job].end.empty() || tracks_[job].running || tracks_[job].not_before > now_) continue;
      if (first && !goes_before(job, *first)) continue;
      const bool needs_done = std::all_of(jobs_[job].needs.begin(), jobs_[job].needs.end(),
                                          [&](std::size_t need) { return tracks_[need].end == "done"; });
      if (!needs_done || scheduler_.why_waiting(job).rfind("for a sweep mate", 0) == 0) continue;
      if (usable_for(jobs_[job]) >= jobs_[job].ranks) first = job;
    }
    return first;
  }

  void begin_attempt(const Start& start) {
    const JobRequest& job = jobs_[start.job];
    Track& track = tracks_[start.job];
    ASSERT_TRUE(track.end.empty() && !track.running && !track.cancelled);
    ASSERT_EQ(static_cast<int>(start.ranks.size()), job.ranks);
    ASSERT_EQ(start.attempt, ++track.attempts);
    ASSERT_LE(start.attempt, job.retries + 1);
    ASSERT_GE(now_, track.not_before);
    for (const std::size_t need : job.needs) ASSERT_EQ(tracks_[need].end, "done");
    if (!job.sweep.empty()) {
      ASSERT_LE(++members_[job.sweep], *job.max_parallel);
    }
    track.running = true;
    if (promise_ && goes_before(start.job, promise_->job)) promise_.reset();
    take_ranks(start);
    log_ += job.id + "@" + std::to_string(start.ranks.front()) + ";";
    const std::int64_t longest = job.bound_ns.value_or(10 * kSecond);
    const std::int64_t end =
        now_ + 1 + static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(longest / 10 * 9)));
    const bool ok = random_.below(20) != 0;
    events_.push({end, sequence_++, start.job, -1, ok});
    for (const int rank : start.ranks)
      events_.push({end + static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(longest / 10))),
                    sequence_++, start.job, rank, ok});
  }

  void take_ranks(const Start& start) {
    const JobRequest& job = jobs_[start.job];
    // The starting job is no longer in `head`, so this is the first of the others; it counts if the job passes it.
    std::size_t passed = kNone;
    if (plan_.judged) passed = head().value_or(kNone);
    if (passed != kNone && !goes_before(passed, start.job)) passed = kNone;
    const std::int64_t before = passed == kNone ? 0 : earliest(jobs_[passed]);
    bool touches = false;
    for (const int number : start.ranks) {
      const auto rank = static_cast<std::size_t>(number);
      ASSERT_TRUE(takes_jobs(rank) && !ranks_[rank].taken) << "rank " << rank;
      ASSERT_TRUE(admits(host_of(rank), job));
      touches = touches || (passed != kNone && admits(host_of(rank), jobs_[passed]));
      ranks_[rank].taken = true;
      ranks_[rank].free_by = job.bound_ns ? now_ + *job.bound_ns : JobQueue::kNoBound;
    }
    if (passed != kNone) judge_passing(start.job, passed, before, touches);
  }

  void judge_passing(std::size_t job, std::size_t passed, std::int64_t before, bool touches) {
    ASSERT_GT(before, now_) << jobs_[passed].id << " could have started, and " << jobs_[job].id << " did";
    if (before == JobQueue::kNoBound && touches) {
      ++on_trust;
      ASSERT_LE(++tracks_[passed].passed_on_trust, Scheduler::kMaxOvertakes);
    } else {
      ++proven;
      ASSERT_LE(earliest(jobs_[passed]), before) << jobs_[job].id << " delays " << jobs_[passed].id;
    }
  }

  // A promise stands until it is kept, or until a job that goes before turns up or a person takes ranks away.
  void note_promise() {
    if (promise_ && tracks_[promise_->job].running) {
      ASSERT_LE(now_, promise_->time) << jobs_[promise_->job].id << " was promised its ranks earlier";
      ++promises_kept;
      promise_.reset();
    }
    const std::optional<std::size_t> first = head();
    if (promise_ && first != promise_->job) promise_.reset();
    if (!first) return;
    const std::int64_t time = earliest(jobs_[*first]);
    if (promise_) {
      ASSERT_LE(time, promise_->time) << jobs_[*first].id << " is put off";
    } else if (time != JobQueue::kNoBound) {
      promise_ = Promise{*first, time};
    }
  }

  void note_skip(const Skip& skip) {
    const JobRequest& job = jobs_[skip.job];
    Track& track = tracks_[skip.job];
    ASSERT_TRUE(track.end.empty() && !track.running);
    track.end = "skipped";
    const bool by_need = std::any_of(job.needs.begin(), job.needs.end(), [&](std::size_t need) {
      return tracks_[need].end == "failed" || tracks_[need].end == "skipped";
    });
    const bool too_few = alive_for(job) < job.ranks;
    const bool nothing_runs =
        std::none_of(tracks_.begin(), tracks_.end(), [](const Track& other) { return other.running; });
    const bool drained = nothing_runs && usable_for(job) < job.ranks;
    ASSERT_TRUE(by_need || track.cancelled || too_few || drained) << skip.reason;
  }

  void free_rank(int rank) {
    ranks_[static_cast<std::size_t>(rank)].taken = false;
    decide([&] { return scheduler_.rank_free(rank, now_); });
  }

  void end_attempt(std::size_t job, bool ok) {
    Track& track = tracks_[job];
    if (!jobs_[job].sweep.empty()) --members_[jobs_[job].sweep];
    const bool retried = !ok && scheduler_.may_retry(job);
    ASSERT_EQ(retried, !ok && !track.cancelled && track.attempts <= jobs_[job].retries &&
                           alive_for(jobs_[job]) >= jobs_[job].ranks);
    track.running = false;
    if (retried) track.not_before = now_ + (Scheduler::kFirstRestNs << (track.attempts - 1));
    if (!retried) track.end = ok ? "done" : "failed";
    decide([&] { return scheduler_.job_ended(job, ok, now_); });
  }

  void disturb() {
    promise_.reset();
    const std::uint64_t kind = random_.below(10);
    if (kind < 5) {
      const std::size_t host = random_.below(drained_.size());
      drained_[host] = !drained_[host];
      decide([&] { return scheduler_.drain(host, drained_[host], now_); });
    } else if (kind < 6) {
      lose_rank(random_.below(ranks_.size()));
    } else if (kind < 8) {
      const std::size_t job = random_.below(jobs_.size());
      tracks_[job].cancelled = tracks_[job].end.empty();
      decide([&] { return scheduler_.cancel(job, now_); });
    } else if (jobs_.size() < 2 * plan_.jobs) {
      const std::vector<JobRequest> more = random_jobs(1 + random_.below(10), jobs_.size());
      jobs_.insert(jobs_.end(), more.begin(), more.end());
      tracks_.resize(jobs_.size());
      decide([&] { return scheduler_.add(more, now_); });
    }
  }

  // At most a quarter of them, or the batch is over too soon.
  void lose_rank(std::size_t rank) {
    if (ranks_[rank].lost ||
        count_ranks([&](std::size_t other) { return ranks_[other].lost; }) >= static_cast<int>(ranks_.size() / 4))
      return;
    ranks_[rank].lost = true;
    decide([&] { return scheduler_.rank_lost(static_cast<int>(rank), Scheduler::Loss::for_good, now_); });
  }

  SimulationPlan plan_;
  CounterRandom random_;
  ClusterHosts cluster_;
  std::vector<JobRequest> jobs_;
  Scheduler scheduler_;
  std::vector<Track> tracks_;
  std::vector<RankState> ranks_;
  std::vector<bool> drained_;
  std::map<std::string, int> members_;
  std::priority_queue<Event> events_;
  std::optional<Promise> promise_;
  std::int64_t now_ = 0;
  std::size_t sequence_ = 0;
  std::string log_;
};

}  // namespace edgelab::batch::test
