// Who may run ahead of the head of the queue: those that provably delay it by nothing, and a few on trust.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scheduler_support.hpp"

namespace edgelab::batch {
namespace {

using namespace test;
using testing::ElementsAre;
using testing::IsEmpty;

TEST(Backfill, RunsAheadWhatIsOverBeforeTheHeadsTime) {
  Scheduler scheduler(
      {bounded("long", 3, 100), bounded("wide", 4, 50), bounded("late", 1, 101), bounded("early", 1, 100)},
      one_host(4));
  const Actions actions = scheduler.begin(0);
  EXPECT_THAT(started(actions), ElementsAre(0, 3));
  EXPECT_EQ(scheduler.why_waiting(2), "for 1 rank; 0 are free");
  end(scheduler, actions.start[1], true, 60 * kSecond);
  EXPECT_EQ(scheduler.why_waiting(2), "for its turn: free ranks are kept for wide");
  EXPECT_THAT(started(end(scheduler, actions.start[0], true, 100 * kSecond)), ElementsAre(1));
}

TEST(Backfill, RunsAheadOfAPromiseAsOftenAsThereIsTimeForIt) {
  std::vector<JobRequest> jobs = {bounded("long", 1, 1000), bounded("wide", 2, 10)};
  for (int i = 0; i < 200; ++i) jobs.push_back(bounded("short" + std::to_string(i), 1, 10));
  Scheduler scheduler(jobs, one_host(2));
  Actions actions = scheduler.begin(0);
  const Start first = actions.start[0];
  std::int64_t now = 0;
  int passed = 0;
  for (; actions.start.size() == (passed == 0 ? 2u : 1u); ++passed)
    actions = end(scheduler, actions.start.back(), true, now += 10 * kSecond);
  EXPECT_EQ(passed, 100);  // far more than kMaxOvertakes, and not one that would end after 1,000 s
  EXPECT_THAT(started(end(scheduler, first, true, now)), ElementsAre(1));
}

TEST(Backfill, GivesAwayTheRanksThatTheHeadLeavesOver) {
  // At 100 s six ranks are free and the head takes five: one may be kept for as long as anybody likes, two may not.
  Scheduler scheduler({bounded("long", 4, 100), bounded("wide", 5, 50), job("two", 2), job("one"), job("another")},
                      one_host(6));
  EXPECT_THAT(started(scheduler.begin(0)), ElementsAre(0, 3));
}

TEST(Backfill, CountsAnAttemptThatOutlivesItsBoundAsOverAnyMoment) {
  Scheduler scheduler({bounded("long", 1, 10), bounded("wide", 2, 10), bounded("short", 1, 1)}, one_host(2));
  const Actions actions = scheduler.begin(0);
  EXPECT_THAT(started(actions), ElementsAre(0, 2));
  EXPECT_THAT(end(scheduler, actions.start[1], true, kSecond).start, IsEmpty());
  EXPECT_THAT(started(scheduler.add({bounded("tiny", 1, 8)}, 2 * kSecond)), ElementsAre(3));
  end(scheduler, {3, 1, {1}}, true, 11 * kSecond);
  EXPECT_THAT(scheduler.add({bounded("tinier", 1, 1)}, 12 * kSecond).start, IsEmpty());
  EXPECT_THAT(started(end(scheduler, actions.start[0], true, 13 * kSecond)), ElementsAre(1));
}

TEST(Backfill, LetsNothingPassOnTrustWhereAPromiseIsMade) {
  Scheduler scheduler({bounded("long", 1, 100), job("wide", 2), job("small")}, one_host(2));
  EXPECT_THAT(started(scheduler.begin(0)), ElementsAre(0));
}

TEST(Backfill, NeverHoldsUpHostsThatTheHeadCantUse) {
  std::vector<JobRequest> jobs = {job("long"), with_memory(job("wide", 2), 8)};
  jobs[0] = with_memory(jobs[0], 8);
  for (int i = 0; i < 100; ++i) jobs.push_back(job("small" + std::to_string(i)));
  ClusterHosts cluster = hosts_with({2, 1});
  cluster.hosts[0].memory_bytes = 8;
  Scheduler scheduler(jobs, cluster);
  Actions actions = scheduler.begin(0);
  ASSERT_THAT(started(actions), testing::Contains(2));
  int others = 0, on_the_heads = 0;
  std::vector<Start> running;
  for (const Start& start : actions.start) {
    if (start.job != 0) running.push_back(start);
  }
  while (!running.empty()) {
    const Start over = running.back();
    running.pop_back();
    (over.ranks[0] == 2 ? others : on_the_heads) += 1;
    for (const Start& start : end(scheduler, over, true, 0).start) running.push_back(start);
  }
  EXPECT_EQ(on_the_heads, Scheduler::kMaxOvertakes);  // on trust; the rank of the other host is free to all
  EXPECT_EQ(others, 100 - Scheduler::kMaxOvertakes);
  EXPECT_THAT(started(end(scheduler, actions.start[0], true, 0)), ElementsAre(1));
}

TEST(Backfill, PutsAJobThatPassesOnHostsThatTheHeadCantUseFirst) {
  std::vector<JobRequest> jobs = {with_memory(bounded("long", 2, 100), 8), with_memory(job("wide", 3), 8),
                                  job("pair", 2)};
  ClusterHosts cluster = hosts_with({3, 4});
  cluster.hosts[0].memory_bytes = 8;
  Scheduler scheduler(jobs, cluster);
  const Actions actions = scheduler.begin(0);
  ASSERT_THAT(started(actions), ElementsAre(0, 2));
  EXPECT_THAT(actions.start[1].ranks, ElementsAre(3, 4));
}

TEST(Backfill, LooksBehindJobsThatMayNotPassForOneThatMay) {
  std::vector<JobRequest> jobs = {bounded("long", 2, 100), job("wide", 3)};
  for (int i = 0; i < 50; ++i) jobs.push_back(bounded("slow" + std::to_string(i), 1, 500));
  jobs.push_back(bounded("quick", 1, 5));
  Scheduler scheduler(jobs, one_host(3));
  EXPECT_THAT(started(scheduler.begin(0)), ElementsAre(0, 52));
}

}  // namespace
}  // namespace edgelab::batch
