#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scheduler_support.hpp"

namespace edgelab::batch {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

using namespace test;

TEST(Scheduler, StartsIndependentJobsSideBySideInFileOrder) {
  Scheduler scheduler({job("a"), job("b", 2), job("c")}, one_host(3));
  const Actions actions = scheduler.begin(0);
  EXPECT_THAT(started(actions), ElementsAre(0, 1));
  EXPECT_THAT(actions.start[0].ranks, ElementsAre(0));
  EXPECT_THAT(actions.start[1].ranks, ElementsAre(1, 2));
  EXPECT_THAT(scheduler.job_ended(0, true, 0).start, IsEmpty());  // its rank is not free yet
  EXPECT_THAT(started(scheduler.rank_free(0, 0)), ElementsAre(2));
}

TEST(Scheduler, HonoursPriorityBeforeFileOrder) {
  std::vector<JobRequest> jobs = {job("a"), job("b"), job("c")};
  jobs[2].priority = 5;
  Scheduler scheduler(jobs, one_host(1));
  EXPECT_THAT(started(scheduler.begin(0)), ElementsAre(2));
}

TEST(Scheduler, WaitsForEveryNeed) {
  Scheduler scheduler({job("a"), job("b"), job("c", 1, {0, 1})}, one_host(3));
  EXPECT_THAT(started(scheduler.begin(0)), ElementsAre(0, 1));
  EXPECT_THAT(scheduler.job_ended(0, true, 0).start, IsEmpty());
  EXPECT_THAT(started(scheduler.job_ended(1, true, 0)), ElementsAre(2));
}

TEST(Scheduler, SkipsWhatNeedsAFailedJobAndSaysWhy) {
  Scheduler scheduler({job("a"), job("b", 1, {0}), job("c", 1, {1}), job("d")}, one_host(1));
  scheduler.begin(0);
  const Actions actions = scheduler.job_ended(0, false, 0);
  ASSERT_THAT(actions.skip, SizeIs(2));
  EXPECT_EQ(actions.skip[0].reason, "needs a, which failed");
  EXPECT_EQ(actions.skip[1].reason, "needs b, which was skipped");
  EXPECT_THAT(started(scheduler.rank_free(0, 0)), ElementsAre(3));
  scheduler.job_ended(3, true, 0);
  EXPECT_TRUE(scheduler.finished());
}

TEST(Scheduler, RetriesAsOftenAsAllowedAndCountsAttempts) {
  std::vector<JobRequest> jobs = {job("a")};
  jobs[0].retries = 1;
  Scheduler scheduler(jobs, one_host(1));
  EXPECT_EQ(scheduler.begin(0).start[0].attempt, 1);
  EXPECT_TRUE(scheduler.may_retry(0));
  scheduler.job_ended(0, false, 0);
  scheduler.rank_free(0, 0);
  EXPECT_EQ(scheduler.tick(Scheduler::kFirstRestNs).start[0].attempt, 2);
  EXPECT_FALSE(scheduler.may_retry(0));
  scheduler.job_ended(0, false, Scheduler::kFirstRestNs);
  EXPECT_TRUE(scheduler.finished());
}

TEST(Scheduler, RestsBetweenAttemptsTwiceAsLongEachTimeUpToAMinuteAndHoldsNoRankMeanwhile) {
  std::vector<JobRequest> jobs = {job("a"), job("b")};
  jobs[0].retries = 9;
  Scheduler scheduler(jobs, one_host(1));
  Actions actions = scheduler.begin(0);
  EXPECT_EQ(scheduler.next_wake(), std::nullopt);
  std::int64_t now = 0;
  std::vector<double> rests;
  for (int attempt = 1; attempt <= 9; ++attempt) {
    actions = end(scheduler, actions.start[0], false, now);
    if (attempt == 1) {
      ASSERT_THAT(started(actions), ElementsAre(1));
      end(scheduler, actions.start[0], true, now);
    }
    ASSERT_TRUE(scheduler.next_wake());
    rests.push_back(static_cast<double>(*scheduler.next_wake() - now) / 1e9);
    EXPECT_THAT(scheduler.tick(*scheduler.next_wake() - 1).start, IsEmpty());
    now = *scheduler.next_wake();
    actions = scheduler.tick(now);
    ASSERT_THAT(started(actions), ElementsAre(0));
    EXPECT_EQ(actions.start[0].attempt, attempt + 1);
  }
  EXPECT_THAT(rests, ElementsAre(0.5, 1, 2, 4, 8, 16, 32, 60, 60));
}

TEST(Scheduler, GoesOnCountingTheAttemptsOfAnEarlierRun) {
  std::vector<JobRequest> jobs = {job("a"), job("spent"), job("after", 1, {1})};
  jobs[0].retries = 2;
  jobs[0].attempts = 2;
  jobs[1].attempts = 1;
  Scheduler scheduler(jobs, one_host(2));
  const Actions actions = scheduler.begin(0);
  EXPECT_THAT(actions.start, IsEmpty()) << "a crash brought mpirun down, and the job rests as after any failed attempt";
  EXPECT_EQ(scheduler.next_wake(), kSecond);
  EXPECT_EQ(scheduler.tick(kSecond).start.at(0).attempt, 3);
  EXPECT_FALSE(scheduler.may_retry(0));
  ASSERT_THAT(skipped(actions), ElementsAre(1, 2));
  EXPECT_EQ(actions.skip[0].reason, "its attempts are used up (1 of 1)");
}

TEST(Scheduler, StopsTheBatchWhenAJobSaysSo) {
  std::vector<JobRequest> jobs = {job("a"), job("b"), job("c")};
  jobs[0].stop_on_failure = true;
  Scheduler scheduler(jobs, one_host(2));
  scheduler.begin(0);
  const Actions actions = scheduler.job_ended(0, false, 0);
  ASSERT_THAT(actions.skip, SizeIs(1));
  EXPECT_EQ(actions.skip[0].job, 2u);
  EXPECT_THAT(actions.skip[0].reason, HasSubstr("a failed"));
  EXPECT_FALSE(scheduler.finished());  // b still runs
  scheduler.job_ended(1, true, 0);
  EXPECT_TRUE(scheduler.finished());
}

TEST(Scheduler, RunsAtMostMaxParallelMembersOfASweep) {
  std::vector<JobRequest> jobs = {job("s[1]"), job("s[2]"), job("s[3]"), job("x")};
  for (std::size_t i = 0; i < 3; ++i) {
    jobs[i].sweep = "s";
    jobs[i].max_parallel = 2;
  }
  Scheduler scheduler(jobs, one_host(4));
  EXPECT_THAT(started(scheduler.begin(0)), ElementsAre(0, 1, 3));
  EXPECT_THAT(started(scheduler.job_ended(1, true, 0)), ElementsAre(2));
}

TEST(Scheduler, LetsABoundedNumberOfSmallJobsPassAWideOne) {
  std::vector<JobRequest> jobs = {job("long", 1), job("wide", 2)};
  for (int i = 0; i < 100; ++i) jobs.push_back(job("small" + std::to_string(i)));
  Scheduler scheduler(jobs, one_host(2));
  Actions actions = scheduler.begin(0);
  int passed = 0;
  while (actions.start.size() == 1 || passed == 0) {  // the long one keeps rank 0; small ones follow each other on rank 1
    const Start start = actions.start.back();
    ASSERT_NE(start.job, 1u);
    ++passed;
    scheduler.job_ended(start.job, true, 0);
    actions = scheduler.rank_free(1, 0);
  }
  EXPECT_EQ(passed, Scheduler::kMaxOvertakes);
  scheduler.job_ended(0, true, 0);
  EXPECT_THAT(started(scheduler.rank_free(0, 0)), ElementsAre(1));
}

TEST(Scheduler, DoesNotRunWhatWasTakenOver) {
  std::vector<JobRequest> jobs = {job("a"), job("b", 1, {0})};
  jobs[0].ended = true;
  Scheduler scheduler(jobs, one_host(1));
  EXPECT_THAT(started(scheduler.begin(0)), ElementsAre(1));
  scheduler.job_ended(1, true, 0);
  EXPECT_TRUE(scheduler.finished());
}

TEST(Scheduler, SkipsWhatNeedsAJobThatFailedBeforeTheRestart) {
  std::vector<JobRequest> jobs = {job("child", 1, {1}), job("bad"), job("gone"), job("heir", 1, {2}), job("d")};
  jobs[1].ended = jobs[2].ended = false;
  jobs[2].cancelled = true;
  Scheduler scheduler(jobs, one_host(1));
  const Actions actions = scheduler.begin(0);
  EXPECT_THAT(started(actions), ElementsAre(4));
  ASSERT_THAT(skipped(actions), ElementsAre(0, 3));
  EXPECT_EQ(actions.skip[0].reason, "needs bad, which failed");
  EXPECT_EQ(actions.skip[1].reason, "needs gone, which was cancelled");
}

TEST(Scheduler, StartsNothingAfterARestartIfAJobThatStopsTheBatchHadFailed) {
  std::vector<JobRequest> jobs = {job("bad"), job("other")};
  jobs[0].ended = false;
  jobs[0].stop_on_failure = true;
  Scheduler failed(jobs, one_host(1));
  const Actions actions = failed.begin(0);
  EXPECT_THAT(actions.start, IsEmpty());
  ASSERT_THAT(skipped(actions), ElementsAre(1));
  EXPECT_EQ(actions.skip[0].reason, "bad failed and says on_failure: stop");
  EXPECT_TRUE(failed.finished());
  jobs[0].cancelled = true;
  Scheduler cancelled(jobs, one_host(1));
  EXPECT_THAT(started(cancelled.begin(0)), ElementsAre(1));
}

TEST(Scheduler, InterruptSkipsWhatHasNotStartedAndForbidsRetries) {
  std::vector<JobRequest> jobs = {job("a"), job("b"), job("c", 1, {0})};
  jobs[0].retries = 3;
  Scheduler scheduler(jobs, one_host(1));
  scheduler.begin(0);
  EXPECT_THAT(scheduler.interrupt().skip, SizeIs(2));
  EXPECT_FALSE(scheduler.may_retry(0));
  scheduler.job_ended(0, false, 0);
  EXPECT_THAT(scheduler.rank_free(0, 0).start, IsEmpty());
  EXPECT_TRUE(scheduler.finished());
}

TEST(Scheduler, ResolvesNeedsByNameAndPassesOverThoseLeftOut) {
  tasks::JobSpec a, b;
  a.id = "a";
  b.id = "b";
  b.needs = {"a", "not in this run"};
  const std::vector<JobRequest> requests = requests_of({a, b});
  EXPECT_THAT(requests[1].needs, ElementsAre(0));
}

TEST(Scheduler, SaysWhatAJobWaitsFor) {
  std::vector<JobRequest> jobs = {job("running", 2), job("wide", 4), job("child", 1, {0}), job("s[1]"), job("s[2]")};
  for (std::size_t member : {3, 4}) {
    jobs[member].sweep = "s";
    jobs[member].max_parallel = 1;
    jobs[member].priority = 1;
    jobs[member].retries = 3;
  }
  jobs.push_back(job("third", 3));
  Scheduler scheduler(jobs, one_host(4));
  const Actions actions = scheduler.begin(0);
  ASSERT_THAT(started(actions), ElementsAre(3, 0));
  EXPECT_EQ(scheduler.why_waiting(0), "");
  EXPECT_EQ(scheduler.why_waiting(1), "for 4 ranks; 1 is free");
  EXPECT_EQ(scheduler.why_waiting(2), "for its needs");
  EXPECT_EQ(scheduler.why_waiting(4), "for a sweep mate (max_parallel 1)");
  end(scheduler, actions.start[0], false, 0);
  scheduler.tick(1);
  EXPECT_EQ(scheduler.why_waiting(3), "for 1 s more after a failed attempt");
  EXPECT_EQ(scheduler.why_waiting(5), "for 3 ranks; 2 are free");
}

}  // namespace
}  // namespace edgelab::batch
