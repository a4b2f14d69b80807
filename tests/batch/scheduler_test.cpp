#include "batch/scheduler.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace edgelab::batch {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

std::vector<int> one_host(int ranks) { return std::vector<int>(static_cast<std::size_t>(ranks), 0); }

JobRequest job(const std::string& id, int ranks = 1, std::vector<std::size_t> needs = {}) {
  JobRequest request;
  request.id = id;
  request.ranks = ranks;
  request.needs = std::move(needs);
  return request;
}

std::vector<std::size_t> started(const Actions& actions) {
  std::vector<std::size_t> jobs;
  for (const Start& start : actions.start) jobs.push_back(start.job);
  return jobs;
}

TEST(Scheduler, StartsIndependentJobsSideBySideInFileOrder) {
  Scheduler scheduler({job("a"), job("b", 2), job("c")}, one_host(3));
  const Actions actions = scheduler.begin();
  EXPECT_THAT(started(actions), ElementsAre(0, 1));
  EXPECT_THAT(actions.start[0].ranks, ElementsAre(0));
  EXPECT_THAT(actions.start[1].ranks, ElementsAre(1, 2));
  EXPECT_THAT(scheduler.job_ended(0, true).start, IsEmpty());  // its rank is not free yet
  EXPECT_THAT(started(scheduler.rank_free(0)), ElementsAre(2));
}

TEST(Scheduler, HonoursPriorityBeforeFileOrder) {
  std::vector<JobRequest> jobs = {job("a"), job("b"), job("c")};
  jobs[2].priority = 5;
  Scheduler scheduler(jobs, one_host(1));
  EXPECT_THAT(started(scheduler.begin()), ElementsAre(2));
}

TEST(Scheduler, WaitsForEveryNeed) {
  Scheduler scheduler({job("a"), job("b"), job("c", 1, {0, 1})}, one_host(3));
  EXPECT_THAT(started(scheduler.begin()), ElementsAre(0, 1));
  EXPECT_THAT(scheduler.job_ended(0, true).start, IsEmpty());
  EXPECT_THAT(started(scheduler.job_ended(1, true)), ElementsAre(2));
}

TEST(Scheduler, SkipsWhatNeedsAFailedJobAndSaysWhy) {
  Scheduler scheduler({job("a"), job("b", 1, {0}), job("c", 1, {1}), job("d")}, one_host(1));
  scheduler.begin();
  const Actions actions = scheduler.job_ended(0, false);
  ASSERT_THAT(actions.skip, SizeIs(2));
  EXPECT_EQ(actions.skip[0].reason, "needs a, which failed");
  EXPECT_EQ(actions.skip[1].reason, "needs b, which was skipped");
  EXPECT_THAT(started(scheduler.rank_free(0)), ElementsAre(3));
  scheduler.job_ended(3, true);
  EXPECT_TRUE(scheduler.finished());
}

TEST(Scheduler, RetriesAsOftenAsAllowedAndCountsAttempts) {
  std::vector<JobRequest> jobs = {job("a")};
  jobs[0].retries = 1;
  Scheduler scheduler(jobs, one_host(1));
  EXPECT_EQ(scheduler.begin().start[0].attempt, 1);
  EXPECT_TRUE(scheduler.may_retry(0));
  scheduler.job_ended(0, false);
  EXPECT_EQ(scheduler.rank_free(0).start[0].attempt, 2);
  EXPECT_FALSE(scheduler.may_retry(0));
  scheduler.job_ended(0, false);
  EXPECT_TRUE(scheduler.finished());
}

TEST(Scheduler, StopsTheBatchWhenAJobSaysSo) {
  std::vector<JobRequest> jobs = {job("a"), job("b"), job("c")};
  jobs[0].stop_on_failure = true;
  Scheduler scheduler(jobs, one_host(2));
  scheduler.begin();
  const Actions actions = scheduler.job_ended(0, false);
  ASSERT_THAT(actions.skip, SizeIs(1));
  EXPECT_EQ(actions.skip[0].job, 2u);
  EXPECT_THAT(actions.skip[0].reason, HasSubstr("a failed"));
  EXPECT_FALSE(scheduler.finished());  // b still runs
  scheduler.job_ended(1, true);
  EXPECT_TRUE(scheduler.finished());
}

TEST(Scheduler, RunsAtMostMaxParallelMembersOfASweep) {
  std::vector<JobRequest> jobs = {job("s[1]"), job("s[2]"), job("s[3]"), job("x")};
  for (std::size_t i = 0; i < 3; ++i) {
    jobs[i].sweep = "s";
    jobs[i].max_parallel = 2;
  }
  Scheduler scheduler(jobs, one_host(4));
  EXPECT_THAT(started(scheduler.begin()), ElementsAre(0, 1, 3));
  EXPECT_THAT(started(scheduler.job_ended(1, true)), ElementsAre(2));
}

TEST(Scheduler, LetsABoundedNumberOfSmallJobsPassAWideOne) {
  std::vector<JobRequest> jobs = {job("long", 1), job("wide", 2)};
  for (int i = 0; i < 100; ++i) jobs.push_back(job("small" + std::to_string(i)));
  Scheduler scheduler(jobs, one_host(2));
  Actions actions = scheduler.begin();
  int passed = 0;
  while (actions.start.size() == 1 || passed == 0) {  // the long one keeps rank 0; small ones follow each other on rank 1
    const Start start = actions.start.back();
    ASSERT_NE(start.job, 1u);
    ++passed;
    scheduler.job_ended(start.job, true);
    actions = scheduler.rank_free(1);
  }
  EXPECT_EQ(passed, Scheduler::kMaxOvertakes);
  scheduler.job_ended(0, true);
  EXPECT_THAT(started(scheduler.rank_free(0)), ElementsAre(1));
}

TEST(Scheduler, PrefersRanksThatShareAHost) {
  Scheduler scheduler({job("a", 1), job("b", 2), job("c", 3)}, {0, 0, 0, 1, 1, 2});
  const Actions actions = scheduler.begin();
  EXPECT_THAT(actions.start[0].ranks, ElementsAre(5));        // the fullest host
  EXPECT_THAT(actions.start[1].ranks, ElementsAre(3, 4));     // the one that just fits
  EXPECT_THAT(actions.start[2].ranks, ElementsAre(0, 1, 2));
}

TEST(Scheduler, DoesNotRunWhatWasTakenOver) {
  std::vector<JobRequest> jobs = {job("a"), job("b", 1, {0})};
  jobs[0].done = true;
  Scheduler scheduler(jobs, one_host(1));
  EXPECT_THAT(started(scheduler.begin()), ElementsAre(1));
  scheduler.job_ended(1, true);
  EXPECT_TRUE(scheduler.finished());
}

TEST(Scheduler, InterruptSkipsWhatHasNotStartedAndForbidsRetries) {
  std::vector<JobRequest> jobs = {job("a"), job("b"), job("c", 1, {0})};
  jobs[0].retries = 3;
  Scheduler scheduler(jobs, one_host(1));
  scheduler.begin();
  EXPECT_THAT(scheduler.interrupt().skip, SizeIs(2));
  EXPECT_FALSE(scheduler.may_retry(0));
  scheduler.job_ended(0, false);
  EXPECT_THAT(scheduler.rank_free(0).start, IsEmpty());
  EXPECT_TRUE(scheduler.finished());
}

TEST(Scheduler, NamesAJobThatAsksForMoreRanksThanThereAre) {
  tasks::JobSpec spec;
  spec.id = "pipeline";
  spec.ranks = 5;
  const std::vector<Error> errors = too_wide({spec}, 2);
  ASSERT_THAT(errors, SizeIs(1));
  EXPECT_EQ(exit_code_of(errors[0].kind()), 3);
  EXPECT_THAT(errors[0].what(), HasSubstr("pipeline"));
  EXPECT_THAT(errors[0].what(), HasSubstr("got 5 ranks asked, expected at most 2"));
}

TEST(Scheduler, ResolvesNeedsByNameAndPassesOverThoseLeftOut) {
  tasks::JobSpec a, b;
  a.id = "a";
  b.id = "b";
  b.needs = {"a", "not in this run"};
  const std::vector<JobRequest> requests = requests_of({a, b});
  EXPECT_THAT(requests[1].needs, ElementsAre(0));
}

}  // namespace
}  // namespace edgelab::batch
