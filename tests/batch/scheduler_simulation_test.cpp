// The scheduler against a simulated cluster: what holds for every start, what a decision costs, and that nothing starves.
#include <gtest/gtest.h>

#include "scheduler_simulation.hpp"

namespace edgelab::batch {
namespace {

using namespace test;

void report(const char* what, std::vector<Simulation::Decision> decisions, std::int64_t Simulation::Decision::*value,
            double unit) {
  std::sort(decisions.begin(), decisions.end(), [&](const auto& a, const auto& b) { return a.*value < b.*value; });
  const auto at = [&](std::size_t index) { return static_cast<double>(decisions[index].*value) / unit; };
  std::printf("%zu decisions, %s: median %.1f, 99 %% %.1f, most %.1f\n", decisions.size(), what,
              at(decisions.size() / 2), at(decisions.size() * 99 / 100), at(decisions.size() - 1));
}

TEST(SchedulerSimulation, TenThousandJobsOnAThousandRanksAllEndAndADecisionLooksAtLittle) {
  SimulationPlan plan;
  plan.hosts = 256;
  Simulation simulation(plan, 7);
  simulation.run();
  EXPECT_EQ(simulation.ended("done") + simulation.ended("failed") + simulation.ended("skipped"), plan.jobs);
  EXPECT_GT(simulation.ended("done"), 1000u);

  report("us", simulation.decisions, &Simulation::Decision::ns, 1e3);
  report("steps", simulation.decisions, &Simulation::Decision::work, 1);
  const Simulation::Decision first = simulation.decisions.front();
  std::printf("the first decision: %zu starts, %.1f us, %lld steps\n", first.starts,
              static_cast<double>(first.ns) / 1e3, static_cast<long long>(first.work));
  // A step is some nanoseconds. A choice goes down one tree a zone (4 zones, 14 levels), and a start looks at each host once.
  for (const Simulation::Decision& decision : simulation.decisions) {
    const auto starts = static_cast<std::int64_t>(decision.starts);
    const std::int64_t first_too =
        &decision == &simulation.decisions.front() ? 15 * static_cast<std::int64_t>(plan.jobs) : 0;
    ASSERT_LE(decision.work, first_too + 10'000 + 2'000 * starts);
  }
}

TEST(SchedulerSimulation, TheSameEventsGiveTheSameSchedule) {
  SimulationPlan plan;
  plan.jobs = 2'000;
  plan.disturbed = true;
  Simulation first(plan, 3), second(plan, 3);
  first.run();
  second.run();
  EXPECT_EQ(first.log(), second.log());
  EXPECT_GT(first.log().size(), 2'000u);
}

// Every start that passes others is judged: it delays none before it as far as bounds are known, else it is one of a few.
TEST(SchedulerSimulation, NoStartDelaysTheHeadOfTheQueueAndEveryPromiseIsKept) {
  int on_trust = 0, proven = 0, kept = 0;
  for (std::uint64_t seed = 1; seed <= 60 && !HasFatalFailure(); ++seed) {
    SCOPED_TRACE(seed);
    SimulationPlan plan;
    plan.jobs = 150;
    plan.hosts = 4 + static_cast<int>(seed % 3) * 4;
    plan.ranks_per_host = 1 + static_cast<int>(seed % 4);
    plan.bounded_percent = seed % 4 == 0 ? 100 : seed % 4 == 1 ? 0 : 80;
    plan.disturbed = seed % 2 == 0;
    plan.judged = true;
    Simulation simulation(plan, seed);
    simulation.run();
    EXPECT_EQ(simulation.ended("done") + simulation.ended("failed") + simulation.ended("skipped"), simulation.jobs());
    on_trust += simulation.on_trust;
    proven += simulation.proven;
    kept += simulation.promises_kept;
  }
  std::printf("passed others: %d on trust, %d with proof; %d promises kept\n", on_trust, proven, kept);
  EXPECT_GT(on_trust, 100);
  EXPECT_GT(proven, 100);
  EXPECT_GT(kept, 100);
}

// However many jobs keep coming, each of the first ones starts after a bounded number of those that came later.
TEST(SchedulerSimulation, NothingStarvesWhileJobsKeepComing) {
  constexpr std::size_t kFirst = 30;
  for (std::uint64_t seed = 1; seed <= 100 && !HasFatalFailure(); ++seed) {
    SCOPED_TRACE(seed);
    CounterRandom random(seed);
    const int ranks = 2 + static_cast<int>(random.below(15));
    const bool has_bounds = seed % 2 == 0;
    const auto new_job = [&](bool wide) {
      JobRequest request = job("j", wide ? 1 + static_cast<int>(random.below(static_cast<std::uint64_t>(ranks))) : 1);
      if (has_bounds && random.below(4) != 0) request.bound_ns = kSecond;
      return request;
    };
    std::vector<JobRequest> jobs;
    for (std::size_t i = 0; i < kFirst; ++i) jobs.push_back(new_job(true));
    Scheduler scheduler(jobs, hosts_with({(ranks + 1) / 2, ranks / 2}));
    std::int64_t now = 0;
    std::vector<Start> running;
    std::size_t early = 0, later = 0;
    const auto note = [&](const Actions& actions) {
      for (const Start& start : actions.start) {
        (start.job < kFirst ? early : later) += 1;
        running.push_back(start);
      }
    };
    note(scheduler.begin(now));
    while (early < kFirst) {
      ASSERT_LE(later, kFirst * static_cast<std::size_t>(Scheduler::kMaxOvertakes + ranks));
      ASSERT_FALSE(running.empty());
      const std::size_t which = random.below(running.size());
      const Start over = running[which];
      running.erase(running.begin() + static_cast<std::ptrdiff_t>(which));
      now += kSecond / 20;  // so that attempts with a bound keep to it
      note(end(scheduler, over, true, now));
      note(scheduler.add({new_job(false), new_job(random.below(3) == 0)}, now));
    }
  }
}

}  // namespace
}  // namespace edgelab::batch
