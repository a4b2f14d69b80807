// The scheduler against a simulated cluster: events in virtual time, every invariant checked after every decision.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <queue>

#include "batch/scheduler.hpp"
#include "core/clock.hpp"
#include "core/random.hpp"

namespace edgelab::batch {
namespace {

constexpr std::size_t kJobs = 10'000;
constexpr int kRanks = 64;
constexpr int kRanksPerHost = 4;

std::vector<JobRequest> random_jobs(std::uint64_t seed) {
  CounterRandom random(seed);
  std::vector<JobRequest> jobs(kJobs);
  for (std::size_t i = 0; i < kJobs; ++i) {
    JobRequest& job = jobs[i];
    job.id = "job" + std::to_string(i);
    const std::uint64_t kind = random.below(100);
    job.ranks = kind < 60 ? 1 : kind < 90 ? 1 + static_cast<int>(random.below(8)) : kind < 99 ? 1 + static_cast<int>(random.below(32)) : kRanks;
    job.priority = static_cast<int>(random.below(3));
    job.retries = static_cast<int>(random.below(3));
    for (std::uint64_t n = random.below(3); n > 0 && i > 0; --n) {
      const std::size_t need = i - 1 - static_cast<std::size_t>(random.below(std::min<std::uint64_t>(i, 50)));
      if (std::find(job.needs.begin(), job.needs.end(), need) == job.needs.end()) job.needs.push_back(need);
    }
    if (random.below(10) == 0) {
      job.sweep = "sweep" + std::to_string(i / 100);
      job.max_parallel = 2;
    }
  }
  return jobs;
}

enum class End { none, done, failed, skipped };

class Simulation {
 public:
  explicit Simulation(std::uint64_t seed) : jobs_(random_jobs(seed)), random_(seed + 1), scheduler_(jobs_, hosts()), rank_of_(kRanks, -1), ends_(kJobs, End::none) {}

  void run() {
    apply(timed([&] { return scheduler_.begin(); }));
    while (!events_.empty()) {
      const Event event = events_.top();
      events_.pop();
      now_ = event.time;
      if (event.rank >= 0) {
        rank_of_[static_cast<std::size_t>(event.rank)] = -1;
        apply(timed([&] { return scheduler_.rank_free(event.rank); }));
      } else {
        end_attempt(event.job, event.ok);
      }
      check();
    }
  }

  const std::vector<End>& ends() const { return ends_; }
  const std::string& log() const { return log_; }
  bool finished() const { return scheduler_.finished(); }
  std::vector<std::int64_t> decision_ns;

 private:
  struct Event {
    std::int64_t time;
    std::size_t sequence;
    std::size_t job;
    int rank;  // -1: the job's end
    bool ok;
    bool operator<(const Event& other) const { return std::tie(other.time, other.sequence) < std::tie(time, sequence); }
  };

  static std::vector<int> hosts() {
    std::vector<int> host_of_rank;
    for (int rank = 0; rank < kRanks; ++rank) host_of_rank.push_back(rank / kRanksPerHost);
    return host_of_rank;
  }

  template <class Decide> Actions timed(Decide decide) {
    const std::int64_t start = now_ns();
    Actions actions = decide();
    decision_ns.push_back(now_ns() - start);
    return actions;
  }

  void apply(const Actions& actions) {
    for (const Skip& skipped : actions.skip) {
      ASSERT_EQ(ends_[skipped.job], End::none);
      ends_[skipped.job] = End::skipped;
      const bool cause = std::any_of(jobs_[skipped.job].needs.begin(), jobs_[skipped.job].needs.end(),
                                     [&](std::size_t need) { return ends_[need] == End::failed || ends_[need] == End::skipped; });
      ASSERT_TRUE(cause) << skipped.reason;
    }
    for (const Start& start : actions.start) begin_attempt(start);
  }

  void begin_attempt(const Start& start) {
    const JobRequest& job = jobs_[start.job];
    ASSERT_EQ(ends_[start.job], End::none);
    ASSERT_EQ(static_cast<int>(start.ranks.size()), job.ranks);
    for (const std::size_t need : job.needs) ASSERT_EQ(ends_[need], End::done);
    for (const int rank : start.ranks) {
      ASSERT_EQ(rank_of_[static_cast<std::size_t>(rank)], -1) << "rank " << rank << " is used twice";
      rank_of_[static_cast<std::size_t>(rank)] = static_cast<int>(start.job);
    }
    if (!job.sweep.empty()) {
      ASSERT_LE(++members_[job.sweep], *job.max_parallel);
    }
    attempts_[start.job] = start.attempt;
    ASSERT_LE(start.attempt, job.retries + 1);
    log_ += job.id + "@" + std::to_string(start.ranks.front()) + ";";
    const std::int64_t end = now_ + 1 + static_cast<std::int64_t>(random_.below(1000));
    const bool ok = random_.below(20) != 0;
    events_.push({end, sequence_++, start.job, -1, ok});
    for (const int rank : start.ranks) events_.push({end + static_cast<std::int64_t>(random_.below(5)), sequence_++, start.job, rank, ok});
  }

  void end_attempt(std::size_t job, bool ok) {
    if (!jobs_[job].sweep.empty()) --members_[jobs_[job].sweep];
    const bool retried = !ok && scheduler_.may_retry(job);
    ASSERT_EQ(retried, !ok && attempts_[job] <= jobs_[job].retries);
    if (!retried) ends_[job] = ok ? End::done : End::failed;
    apply(timed([&] { return scheduler_.job_ended(job, ok); }));
  }

  void check() const {
    const auto idle = std::count(rank_of_.begin(), rank_of_.end(), -1);
    ASSERT_EQ(scheduler_.free_ranks(), idle);
  }

  std::vector<JobRequest> jobs_;
  CounterRandom random_;
  Scheduler scheduler_;
  std::vector<int> rank_of_;
  std::vector<End> ends_;
  std::map<std::size_t, int> attempts_;
  std::map<std::string, int> members_;
  std::priority_queue<Event> events_;
  std::int64_t now_ = 0;
  std::size_t sequence_ = 0;
  std::string log_;
};

TEST(SchedulerSimulation, TenThousandJobsOnSixtyFourRanksAllEndAndEveryInvariantHolds) {
  Simulation simulation(7);
  simulation.run();
  EXPECT_TRUE(simulation.finished());
  EXPECT_EQ(std::count(simulation.ends().begin(), simulation.ends().end(), End::none), 0);
  EXPECT_GT(std::count(simulation.ends().begin(), simulation.ends().end(), End::done), 1000);

  std::vector<std::int64_t> times = simulation.decision_ns;
  std::sort(times.begin(), times.end());
  std::printf("%zu decisions: median %.1f us, 99 %% %.1f us, longest %.1f us\n", times.size(), static_cast<double>(times[times.size() / 2]) / 1e3,
              static_cast<double>(times[times.size() * 99 / 100]) / 1e3, static_cast<double>(times.back()) / 1e3);
}

TEST(SchedulerSimulation, TheSameEventsGiveTheSameSchedule) {
  Simulation first(3), second(3);
  first.run();
  second.run();
  EXPECT_EQ(first.log(), second.log());
}

}  // namespace
}  // namespace edgelab::batch
