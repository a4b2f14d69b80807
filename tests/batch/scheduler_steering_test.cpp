// What changes under a running batch: hosts are drained, ranks are lost, jobs are cancelled and added.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scheduler_support.hpp"

namespace edgelab::batch {
namespace {

using namespace test;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

// Two ranks here, and two on a host that can't be reached for now.
Scheduler with_a_host_away(std::vector<JobRequest> jobs) {
  ClusterHosts cluster = hosts_with({2, 2});
  cluster.hosts[1].away = true;
  Scheduler scheduler(std::move(jobs), std::move(cluster));
  for (const int rank : {2, 3}) scheduler.rank_lost(rank, Scheduler::Loss::until_restart, 0);
  return scheduler;
}

TEST(Away, WideJobsWaitForTheHostAndWhatFitsRuns) {
  Scheduler scheduler = with_a_host_away({job("wide", 4), job("a", 2), job("b", 2), job("never", 5)});
  Actions actions = scheduler.begin(0);
  EXPECT_THAT(started(actions), ElementsAre(1));
  actions = end(scheduler, actions.start[0], true, 1);
  ASSERT_THAT(started(actions), ElementsAre(2));
  actions = end(scheduler, actions.start[0], true, 2);
  EXPECT_THAT(actions.skip, IsEmpty());
  EXPECT_FALSE(scheduler.finished());
  EXPECT_EQ(scheduler.why_waiting(0), "for host h1, which can't be reached");
}

TEST(Away, TheHostMayHaveWhatAJobRequires) {
  Scheduler scheduler = with_a_host_away({with_memory(job("big"), 8'000'000'000)});
  const Actions actions = scheduler.begin(0);
  EXPECT_THAT(actions.start, IsEmpty());
  EXPECT_THAT(actions.skip, IsEmpty());
}

TEST(Hold, NothingStartsUntilItIsTakenBackAndNothingIsGivenUp) {
  Scheduler scheduler({job("a"), job("b"), job("on1", 2)}, hosts_with({1, 1}));
  scheduler.drain(1, true, 0);
  const Actions actions = scheduler.begin(0);
  ASSERT_THAT(started(actions), ElementsAre(0));
  scheduler.hold(true, 1);
  const Actions held = end(scheduler, actions.start[0], true, 2);
  EXPECT_THAT(held.start, IsEmpty());
  EXPECT_THAT(held.skip, IsEmpty());
  EXPECT_EQ(scheduler.why_waiting(1), "for a restart, which takes hosts back in");
  EXPECT_THAT(started(scheduler.hold(false, 3)), ElementsAre(1));
}

TEST(Drain, StartsNothingOnTheHostUntilItIsTakenBack) {
  Scheduler scheduler({job("a"), job("b"), job("c")}, hosts_with({1, 1}));
  EXPECT_THAT(scheduler.drain(1, true, 0).start, IsEmpty());
  const Actions actions = scheduler.begin(0);
  ASSERT_THAT(started(actions), ElementsAre(0));
  EXPECT_THAT(actions.start[0].ranks, ElementsAre(0));
  EXPECT_EQ(scheduler.free_ranks(), 0);
  const Actions taken_back = scheduler.drain(1, false, 1);
  ASSERT_THAT(started(taken_back), ElementsAre(1));
  EXPECT_THAT(taken_back.start[0].ranks, ElementsAre(1));
}

TEST(Drain, LetsWhatRunsThereFinishAndKeepsItsRanks) {
  Scheduler scheduler({job("a", 2), job("b", 2), job("c")}, hosts_with({2, 1}));
  const Actions actions = scheduler.begin(0);
  ASSERT_THAT(started(actions), ElementsAre(0, 2));
  scheduler.drain(0, true, 1);
  EXPECT_EQ(scheduler.why_waiting(1), "for host h0, which is drained");
  EXPECT_THAT(end(scheduler, actions.start[0], true, 2).start, IsEmpty());
  EXPECT_EQ(scheduler.free_ranks(), 0);
  EXPECT_THAT(started(scheduler.drain(0, false, 3)), ElementsAre(1));
}

TEST(Drain, DoesNotLetWaitingForADrainedHostHoldUpOthers) {
  std::vector<JobRequest> jobs = {job("pair", 2)};
  for (int i = 0; i < 50; ++i) jobs.push_back(job("small" + std::to_string(i)));
  Scheduler scheduler(jobs, hosts_with({1, 1}));
  scheduler.drain(1, true, 0);
  Actions actions = scheduler.begin(0);
  for (std::size_t next = 1; next <= 50; ++next) {
    ASSERT_THAT(started(actions), ElementsAre(next));
    if (next < 50) actions = end(scheduler, actions.start[0], true, 0);
  }
  EXPECT_EQ(scheduler.why_waiting(0), "for host h1, which is drained");
  EXPECT_THAT(started(scheduler.drain(1, false, 0)), IsEmpty());
  EXPECT_THAT(started(end(scheduler, actions.start[0], true, 0)), ElementsAre(0));
}

TEST(Drain, SkipsWhatWaitsForADrainedHostOnceNothingElseIsLeft) {
  std::vector<JobRequest> jobs = {job("pair", 2), job("child", 1, {0}), job("single")};
  Scheduler scheduler(jobs, hosts_with({1, 1}));
  const Actions drained = scheduler.drain(1, true, 0);
  EXPECT_THAT(drained.skip, IsEmpty());  // not begun yet
  const Actions actions = scheduler.begin(0);
  ASSERT_THAT(started(actions), ElementsAre(2));
  EXPECT_THAT(actions.skip, IsEmpty());
  const Actions over = scheduler.job_ended(2, true, 1);
  ASSERT_THAT(skipped(over), ElementsAre(0, 1));
  EXPECT_EQ(over.skip[0].reason, "nothing is left that could run it but host h1, which is drained");
  EXPECT_EQ(over.skip[1].reason, "needs pair, which was skipped");
  EXPECT_TRUE(scheduler.finished());
}

TEST(Drain, LetsASweepMateThatCanRunTakeThePlaceOfOneThatCant) {
  std::vector<JobRequest> jobs = {job("s[2]", 2), job("s[1]", 1)};
  for (JobRequest& member : jobs) {
    member.sweep = "s";
    member.max_parallel = 1;
  }
  Scheduler scheduler(jobs, hosts_with({1, 1}));
  scheduler.drain(0, true, 0);
  const Actions actions = scheduler.begin(0);
  EXPECT_THAT(skipped(actions), ElementsAre(0));
  EXPECT_THAT(started(actions), ElementsAre(1));
}

TEST(Drain, WaitsForARetryThatRestsBeforeItGivesUp) {
  std::vector<JobRequest> jobs = {job("pair", 2), job("flaky")};
  jobs[1].retries = 1;
  Scheduler scheduler(jobs, hosts_with({1, 1}));
  scheduler.drain(1, true, 0);
  const Actions actions = scheduler.begin(0);
  ASSERT_THAT(started(actions), ElementsAre(1));
  EXPECT_THAT(end(scheduler, actions.start[0], false, 0).skip, IsEmpty());
  EXPECT_THAT(started(scheduler.tick(kSecond)), ElementsAre(1));
  EXPECT_THAT(skipped(scheduler.job_ended(1, true, 2 * kSecond)), ElementsAre(0));
}

TEST(LostRank, IsNeverUsedAgain) {
  Scheduler scheduler({job("a"), job("b"), job("c")}, one_host(2));
  const Actions actions = scheduler.begin(0);
  scheduler.rank_lost(0, Scheduler::Loss::for_good, 1);
  scheduler.job_ended(0, false, 1);
  EXPECT_THAT(scheduler.rank_free(0, 1).start, IsEmpty());  // a late word from the dead
  EXPECT_EQ(scheduler.free_ranks(), 0);
  const Actions more = end(scheduler, actions.start[1], true, 2);
  ASSERT_THAT(started(more), ElementsAre(2));
  EXPECT_THAT(more.start[0].ranks, ElementsAre(1));
}

TEST(LostRank, SkipsWhatTooFewRanksAreLeftForAndWhatNeedsIt) {
  std::vector<JobRequest> jobs = {job("a"), job("pair", 2), job("child", 1, {1}),
                                  with_memory(job("big"), 8'000'000'000)};
  ClusterHosts cluster = hosts_with({1, 1});
  cluster.hosts[1].memory_bytes = 8'000'000'000;
  Scheduler scheduler(jobs, cluster);
  const Actions actions = scheduler.begin(0);
  ASSERT_THAT(started(actions), ElementsAre(0, 3));
  ASSERT_THAT(actions.start[1].ranks, ElementsAre(1));
  EXPECT_FALSE(scheduler.may_retry(3));
  const Actions lost = scheduler.rank_lost(1, Scheduler::Loss::for_good, 1);
  ASSERT_THAT(skipped(lost), ElementsAre(1, 2));
  EXPECT_EQ(lost.skip[0].reason, "it asks for 2 ranks, and 1 is left");
  EXPECT_EQ(lost.skip[1].reason, "needs pair, which was skipped");
  scheduler.job_ended(3, false, 1);
  const Actions late = scheduler.add({jobs[3]}, 2);
  ASSERT_THAT(late.skip, SizeIs(1));
  EXPECT_EQ(late.skip[0].reason, "it asks for 1 rank with 8GB of memory, and none is left");
}

TEST(LostRank, ThatARestartBringsBackLetsWideJobsWaitAndTheOthersGoOn) {
  Scheduler scheduler({job("a"), job("pair", 2), job("b"), job("c"), job("child", 1, {1})}, one_host(2));
  const Actions begun = scheduler.begin(0);
  ASSERT_THAT(started(begun), ElementsAre(0, 2));
  EXPECT_THAT(scheduler.rank_lost(0, Scheduler::Loss::until_restart, 1).skip, IsEmpty());
  scheduler.job_ended(0, false, 1);
  const Actions more = end(scheduler, begun.start[1], true, 2);
  ASSERT_THAT(started(more), ElementsAre(3));
  EXPECT_THAT(more.start[0].ranks, ElementsAre(1));
  const Actions last = end(scheduler, more.start[0], true, 3);
  EXPECT_THAT(last.start, IsEmpty());
  EXPECT_THAT(last.skip, IsEmpty());
  EXPECT_FALSE(scheduler.finished());
  EXPECT_EQ(scheduler.why_waiting(1), "for a restart with all ranks");
}

TEST(LostRank, OfARunningAttemptForbidsARetryThatCouldNeverRun) {
  std::vector<JobRequest> jobs = {job("pair", 2)};
  jobs[0].retries = 5;
  Scheduler scheduler(jobs, one_host(2));
  scheduler.begin(0);
  EXPECT_TRUE(scheduler.may_retry(0));
  scheduler.rank_lost(1, Scheduler::Loss::for_good, 1);
  EXPECT_FALSE(scheduler.may_retry(0));
  scheduler.job_ended(0, false, 1);
  EXPECT_TRUE(scheduler.finished());
}

TEST(Cancel, SkipsAJobThatHasNotStartedAndWhatNeedsIt) {
  Scheduler scheduler({job("a"), job("b"), job("child", 1, {1}), job("c")}, one_host(1));
  const Actions begun = scheduler.begin(0);
  const Actions actions = scheduler.cancel(1, 1);
  ASSERT_THAT(skipped(actions), ElementsAre(1, 2));
  EXPECT_EQ(actions.skip[0].reason, "it was cancelled");
  EXPECT_EQ(actions.skip[1].reason, "needs b, which was cancelled");
  EXPECT_THAT(scheduler.cancel(1, 2).skip, IsEmpty());
  EXPECT_THAT(started(end(scheduler, begun.start[0], true, 3)), ElementsAre(3));
  EXPECT_THAT(skipped(scheduler.add({job("late", 1, {1})}, 4)), ElementsAre(4));
}

TEST(Cancel, LeavesTheRunningAttemptToTheCallerAndForbidsAnother) {
  std::vector<JobRequest> jobs = {job("a"), job("child", 1, {0}), job("c")};
  jobs[0].retries = 3;
  jobs[0].stop_on_failure = true;  // a person's word is no failure
  Scheduler scheduler(jobs, one_host(1));
  const Actions begun = scheduler.begin(0);
  EXPECT_THAT(scheduler.cancel(0, 1).skip, IsEmpty());
  EXPECT_FALSE(scheduler.may_retry(0));
  const Actions actions = end(scheduler, begun.start[0], false, 2);
  ASSERT_THAT(skipped(actions), ElementsAre(1));
  EXPECT_EQ(actions.skip[0].reason, "needs a, which was cancelled");
  EXPECT_THAT(started(actions), ElementsAre(2));
}

TEST(Cancel, EndsARestAndTheHoldOnASweep) {
  std::vector<JobRequest> jobs = {job("s[1]"), job("s[2]")};
  for (JobRequest& member : jobs) {
    member.sweep = "s";
    member.max_parallel = 1;
    member.retries = 1;
  }
  Scheduler scheduler(jobs, one_host(2));
  const Actions begun = scheduler.begin(0);
  EXPECT_THAT(end(scheduler, begun.start[0], false, 0).start, IsEmpty());
  const Actions actions = scheduler.cancel(0, 1);
  EXPECT_THAT(skipped(actions), ElementsAre(0));
  EXPECT_THAT(started(actions), ElementsAre(1));
  EXPECT_EQ(scheduler.next_wake(), std::nullopt);
}

TEST(Add, JobsJoinTheQueueByPriorityAndMayNeedOldOnes) {
  Scheduler scheduler({job("a"), job("b")}, one_host(1));
  const Actions begun = scheduler.begin(0);
  std::vector<JobRequest> more = {job("urgent"), job("heir", 1, {0}), job("late", 1, {2})};
  more[0].priority = 1;
  EXPECT_THAT(scheduler.add(more, 1).start, IsEmpty());
  Actions actions = end(scheduler, begun.start[0], true, 2);
  std::vector<std::size_t> order;
  while (!actions.start.empty()) {
    order.push_back(actions.start[0].job);
    actions = end(scheduler, actions.start[0], true, 3);
  }
  EXPECT_THAT(order, ElementsAre(2, 1, 3, 4));
  EXPECT_TRUE(scheduler.finished());
  EXPECT_THAT(started(scheduler.add({job("after")}, 4)), ElementsAre(5));
  EXPECT_FALSE(scheduler.finished());
}

TEST(Add, SkipsWhatNeedsAFailedJobAndAllAfterAStop) {
  Scheduler scheduler({job("a")}, one_host(1));
  const Actions begun = scheduler.begin(0);
  end(scheduler, begun.start[0], false, 0);
  const Actions actions = scheduler.add({job("heir", 1, {0})}, 1);
  ASSERT_THAT(skipped(actions), ElementsAre(1));
  EXPECT_EQ(actions.skip[0].reason, "needs a, which failed");
  scheduler.interrupt();
  EXPECT_THAT(skipped(scheduler.add({job("b")}, 2)), ElementsAre(2));
}

TEST(Add, SharesTheLimitOfASweepThatIsThere) {
  std::vector<JobRequest> jobs = {job("s[1]")};
  jobs[0].sweep = "s";
  jobs[0].max_parallel = 1;
  Scheduler scheduler(jobs, one_host(2));
  const Actions begun = scheduler.begin(0);
  EXPECT_THAT(scheduler.add(jobs, 1).start, IsEmpty());
  EXPECT_THAT(started(end(scheduler, begun.start[0], true, 2)), ElementsAre(1));
}

}  // namespace
}  // namespace edgelab::batch
