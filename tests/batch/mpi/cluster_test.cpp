#include "batch/control/cluster.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>

#include <csignal>
#include <map>
#include <thread>

#include "batch/session.hpp"
#include "batch/signals.hpp"
#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/machine.hpp"
#include "parallel/environment.hpp"

// The whole control plane on 1, 2, 3 and 4 ranks with tasks made for the test: a job's `resolved` text says what it does.
namespace edgelab::batch {
namespace {

using namespace std::chrono_literals;
using parallel::Communicator;
using parallel::Reduction;
using results::JobRecord;
using results::Status;
using testing::HasSubstr;

bool begins(const std::string& text, const char* with) { return text.rfind(with, 0) == 0; }

void pretend(const std::string& what, const tasks::TaskContext& context) {
  const Communicator& job = context.communicator;
  if (begins(what, "reduce")) {
    const std::int64_t ranks = job.all_reduce(std::int64_t{1}, Reduction::sum);
    if (ranks != job.size()) throw std::runtime_error("a sum is wrong");
  } else if (begins(what, "sleep")) {
    std::this_thread::sleep_for(20ms);
  } else if (begins(what, "last rank throws")) {
    if (job.rank() == job.size() - 1) throw Error(ErrorKind::environment, "no such weights");
    std::vector<float> values(1 << 18, 1.0F);  // a rendezvous that the last rank never joins
    while (true) job.all_reduce(std::span<float>(values), Reduction::sum);
  } else if (begins(what, "throws")) {
    throw std::runtime_error("broken by design");
  } else if (begins(what, "hangs")) {
    while (!context.cancelled()) std::this_thread::sleep_for(1ms);
    throw Cancelled();
  } else if (begins(what, "waits for each other")) {  // the first and the last member
    const parallel::Communicator& members = context.communicator;
    std::byte never[1];
    const int last = members.size() - 1;
    if (members.rank() == 0 || members.rank() == last) members.receive(std::span(never), last - members.rank(), 1);
    while (!context.cancelled()) std::this_thread::sleep_for(1ms);
    throw Cancelled();
  } else if (begins(what, "throws a number")) {
    throw 7;
  }
}

// Also the place for facts that only the job's thread knows.
JobRecord run_pretended(const tasks::JobSpec& spec, tasks::TaskContext& context) {
  context.progress({0.5, "half way"});
  pretend(spec.resolved, context);
  JobRecord record;
  cpu_set_t bound;
  sched_getaffinity(0, sizeof bound, &bound);
  record.summary.samples = CPU_COUNT(&bound);
  record.summary.throughput_samples_per_second = context.communicator.size();
  if (context.want_logits) {
    record.logits = {1, 2, 3};
    record.classes = 3;
  }
  for (int rank = 0; rank < context.communicator.size(); ++rank) {
    record.ranks.emplace_back();
    record.ranks.back().rank = rank;
    record.ranks.back().threads = context.threads;
  }
  return record;
}

tasks::JobSpec parse_pretended(const std::string& resolved) {
  tasks::JobSpec spec;
  spec.resolved = resolved;
  return spec;
}

tasks::JobSpec job(const std::string& id, const std::string& what, int ranks = 1, std::vector<std::string> needs = {}) {
  tasks::JobSpec spec;
  spec.id = id;
  spec.resolved = what;
  spec.ranks = ranks;
  spec.needs = std::move(needs);
  return spec;
}

class ClusterOnRanks : public testing::Test {
 protected:
  // Rank 0 leads, the others serve. Returns the same end on every rank; `ended` is filled on rank 0.
  LoopEnd run(Work work, Observer observer = {}) {
    Cluster cluster(world_, run_pretended, parse_pretended);
    if (world_.rank() != 0) return cluster.serve();
    const auto chained = observer.ended;
    observer.ended = [this, chained](const JobRecord& record) {
      EXPECT_TRUE(ended.emplace(record.id, record).second) << record.id << " ended twice";
      if (chained) chained(record);
    };
    const LoopEnd end = cluster.lead(std::move(work), std::move(observer));
    cluster.dismiss(end);
    return end;
  }
  bool leads() const { return world_.rank() == 0; }

  parallel::Environment environment_;
  SignalWatch signals_;
  Communicator world_ = Communicator::world();
  const int size_ = world_.size();
  std::map<std::string, JobRecord> ended;
};

TEST_F(ClusterOnRanks, RunsJobsOfEveryWidthAndEveryRankLearnsTheEnd) {
  Work work;
  for (int i = 0; i < 40; ++i) work.jobs.push_back(job("job" + std::to_string(i), "reduce", 1 + i % size_));
  const LoopEnd end = run(work);
  EXPECT_EQ(end.exit_code, 0);
  EXPECT_TRUE(end.orderly);
  if (!leads()) return;
  ASSERT_EQ(ended.size(), 40u);
  for (const auto& [id, record] : ended) {
    EXPECT_EQ(record.status, Status::done) << id << ": " << record.reason;
    EXPECT_EQ(record.attempts, 1);
    EXPECT_GT(record.started_wall_ns, 0);
    for (const results::RankRow& row : record.ranks) EXPECT_EQ(row.host, this_machine().host_name);
  }
}

TEST_F(ClusterOnRanks, WhatNeedsAHostThatIsAwayWaitsForARestartAndTheRestIsDone) {
  Work work;
  work.supervised = true;
  work.away = {{"pi9", 1}};
  work.jobs = {job("wide", "reduce", size_ + 1), job("fits", "reduce", size_)};
  const LoopEnd end = run(work);
  EXPECT_EQ(end.exit_code, kHostsWanted);
  EXPECT_TRUE(end.orderly) << "nobody hangs";
  if (!leads()) return;
  EXPECT_FALSE(end.complete);
  ASSERT_EQ(ended.size(), 1u) << "wide was neither run nor skipped";
  EXPECT_EQ(ended["fits"].status, Status::done);
}

TEST_F(ClusterOnRanks, ForHostsThatAreBackWhatRunsFinishesAndTheRestWaitsForTheRestart) {
  Work work;
  work.supervised = true;
  work.jobs = {job("first", "sleep", size_), job("second", "sleep", size_)};
  Cluster cluster(world_, run_pretended, parse_pretended);
  if (!leads()) {
    EXPECT_EQ(cluster.serve().exit_code, kHostsWanted);
    return;
  }
  std::vector<std::string> done;
  Observer observer;
  observer.ended = [&](const JobRecord& record) { done.push_back(record.id); };
  const LoopEnd end = cluster.lead(work, observer, [](Controller& controller) { controller.make_way(); });
  cluster.dismiss(end);
  EXPECT_EQ(end.exit_code, kHostsWanted);
  EXPECT_THAT(done, testing::ElementsAre("first"));
}

TEST_F(ClusterOnRanks, IndependentJobsRunSideBySide) {
  Work work;
  for (int i = 0; i < size_; ++i) work.jobs.push_back(job("job" + std::to_string(i), "sleep"));
  int running = 0, most = 0;
  Observer observer;
  observer.started = [&](const tasks::JobSpec&, int, const std::vector<int>&) { most = std::max(most, ++running); };
  observer.ended = [&](const JobRecord&) { --running; };
  EXPECT_EQ(run(work, observer).exit_code, 0);
  if (leads()) {
    EXPECT_EQ(most, size_);
  }
}

TEST_F(ClusterOnRanks, AnExceptionOnOneMemberFailsTheJobEverywhereAndFreesTheOthers) {
  Work work;
  for (int i = 0; i < 5; ++i) work.jobs.push_back(job("bad" + std::to_string(i), "last rank throws", size_));
  work.jobs.push_back(job("good", "reduce", size_));
  EXPECT_EQ(run(work).exit_code, 3);
  if (!leads()) return;
  EXPECT_EQ(ended["bad4"].status, Status::failed);
  EXPECT_THAT(ended["bad4"].reason, HasSubstr("no such weights"));
  if (size_ > 1) {
    EXPECT_THAT(ended["bad4"].reason, HasSubstr("rank " + std::to_string(size_ - 1) + " on "));
  }
  EXPECT_EQ(ended["good"].status, Status::done);
}

TEST_F(ClusterOnRanks, AFailedJobIsTriedAgainThenSkipsWhatNeedsIt) {
  Work work;
  work.jobs = {job("a", "throws"), job("b", "sleep", 1, {"a"}), job("c", "throws a number")};
  work.jobs[0].retries = 2;
  EXPECT_EQ(run(work).exit_code, 1);
  if (!leads()) return;
  EXPECT_EQ(ended["a"].attempts, 3);
  EXPECT_EQ(ended["a"].reason, "broken by design");
  EXPECT_EQ(ended["b"].status, Status::skipped);
  EXPECT_EQ(ended["b"].reason, "needs a, which failed");
  EXPECT_EQ(ended["c"].status, Status::failed);
}

TEST_F(ClusterOnRanks, AJobPastItsTimeLimitEndsAlone) {
  Work work;
  work.jobs = {job("slow", "hangs", size_), job("good", "reduce", size_)};
  work.jobs[0].time_limit_ns = 50'000'000;
  EXPECT_EQ(run(work).exit_code, 1);
  if (!leads()) return;
  EXPECT_THAT(ended["slow"].reason, HasSubstr("time_limit of 0.05 s"));
  EXPECT_EQ(ended["good"].status, Status::done);
}

TEST_F(ClusterOnRanks, AJobPastItsTimeLimitTellsWhoWaitedForWhom) {
  if (size_ == 1) return;
  Work work;
  work.jobs = {job("stalled", "waits for each other", size_)};
  work.jobs[0].time_limit_ns = 500'000'000;
  EXPECT_EQ(run(work).exit_code, 1);
  if (!leads()) return;
  EXPECT_THAT(ended["stalled"].reason, HasSubstr("time_limit of 0.5 s; rank 0"));
  EXPECT_THAT(ended["stalled"].reason, HasSubstr("rank " + std::to_string(size_ - 1)));
  EXPECT_THAT(ended["stalled"].reason, HasSubstr("for each other: is the link between them up?"));
}

TEST_F(ClusterOnRanks, ExpectationsAreJudgedAgainstTheJobTheyName) {
  Work work;
  work.jobs = {job("serial", "reduce"), job("wide", "reduce", size_, {"serial"}), job("wrong", "reduce", 1, {"serial"})};
  using Kind = tasks::Expectation::Kind;
  work.jobs[1].expect = {{Kind::outputs_match, "serial", 1e-4, "outputs_match: {job: serial, rtol: 1e-4}"},
                         {Kind::speedup_over, "serial", 1.0, "speedup_over: {job: serial, at_least: 1}"}};
  work.jobs[2].expect = {{Kind::speedup_over, "serial", 3.0, "speedup_over: {job: serial, at_least: 3}"}};
  EXPECT_EQ(run(work).exit_code, 1);
  if (!leads()) return;
  ASSERT_EQ(ended["wide"].expectations.size(), 2u);
  EXPECT_TRUE(ended["wide"].expectations[0].met);
  EXPECT_EQ(ended["wide"].status, Status::done) << ended["wide"].reason;
  EXPECT_EQ(ended["wrong"].status, Status::failed);
  EXPECT_EQ(ended["wrong"].reason, "expected speedup_over: {job: serial, at_least: 3}, got 1");
}

TEST_F(ClusterOnRanks, WhatWasTakenOverIsNotRunAndCanBeComparedWith) {
  Work work;
  work.jobs = {job("old", "throws"), job("new", "reduce", 1, {"old"})};
  work.jobs[1].expect = {{tasks::Expectation::Kind::outputs_match, "old", 1e-4, "outputs_match"}};
  JobRecord old;
  old.id = "old";
  old.logits = {1, 2, 3};
  work.taken_over = {old};
  EXPECT_EQ(run(work).exit_code, 0);
  if (leads()) {
    EXPECT_EQ(ended.size(), 1u);
  }
}

TEST_F(ClusterOnRanks, JobThreadsAreBoundToTheirRanksShareOfTheCores) {
  Work work;
  work.jobs = {job("share", "reduce")};
  EXPECT_EQ(run(work).exit_code, 0);
  if (!leads()) return;
  const auto cores = static_cast<std::int64_t>(usable_cores().size());
  const std::int64_t least = std::max<std::int64_t>(1, cores / size_);
  EXPECT_GE(ended["share"].summary.samples, least);
  EXPECT_LE(ended["share"].summary.samples, least + 1);
  ASSERT_EQ(ended["share"].ranks.size(), 1u);
  EXPECT_EQ(ended["share"].ranks[0].threads, ended["share"].summary.samples);
}

TEST_F(ClusterOnRanks, ProgressReachesRankZero) {
  Work work;
  work.jobs = {job("a", "sleep", size_)};
  int seen = 0;
  Observer observer;
  observer.progress = [&](const tasks::JobSpec& spec, double fraction, const std::string& text) {
    EXPECT_EQ(spec.id, "a");
    EXPECT_EQ(fraction, 0.5);
    EXPECT_EQ(text, "half way");
    ++seen;
  };
  EXPECT_EQ(run(work, observer).exit_code, 0);
  if (leads()) {
    EXPECT_EQ(seen, 1);
  }
}

TEST_F(ClusterOnRanks, ASignalOnAnyRankEndsTheRunOnAllOfThem) {
  Work work;
  work.jobs = {job("first", "reduce"), job("endless", "hangs", size_, {"first"}), job("later", "reduce", size_, {"endless"})};
  std::thread sender;
  if (world_.rank() == size_ - 1) {
    sender = std::thread([] {
      std::this_thread::sleep_for(200ms);
      raise(SIGTERM);
    });
  }
  const std::int64_t start = now_ns();
  const LoopEnd end = run(work);
  EXPECT_LT(now_ns() - start, 60'000'000'000);
  if (sender.joinable()) sender.join();
  EXPECT_EQ(end.exit_code, 143);
  EXPECT_FALSE(end.orderly);
  if (!leads()) return;
  EXPECT_EQ(ended["first"].status, Status::done);
  EXPECT_EQ(ended["endless"].status, Status::interrupted);
  EXPECT_EQ(ended.count("later"), 0u);
}

// CPU time is the kernel's own account, so load from elsewhere does not add to it.
TEST_F(ClusterOnRanks, AnIdleRankSleeps) {
  const auto cpu_ns = [] {
    timespec time{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return time.tv_sec * 1'000'000'000LL + time.tv_nsec;
  };
  Work work;
  work.jobs = {job("endless", "hangs")};
  work.jobs[0].time_limit_ns = 1'000'000'000;
  const std::int64_t cpu = cpu_ns(), start = now_ns();
  EXPECT_EQ(run(work).exit_code, 1);
  const double share = static_cast<double>(cpu_ns() - cpu) / static_cast<double>(now_ns() - start);
  std::fprintf(stderr, "rank %d of %d: %.2f %% of a core while idle\n", world_.rank(), size_, 100 * share);
  EXPECT_LT(share, 0.5);  // polling would be 1
}

TEST_F(ClusterOnRanks, ThousandsOfShortJobsPassThrough) {
  Work work;
  for (int i = 0; i < 2000; ++i) work.jobs.push_back(job("job" + std::to_string(i), "nothing", 1 + (i % 7 == 0 ? size_ - 1 : 0)));
  const std::int64_t start = now_ns();
  EXPECT_EQ(run(work).exit_code, 0);
  if (!leads()) return;
  EXPECT_EQ(ended.size(), 2000u);
  std::fprintf(stderr, "%d ranks: %.0f jobs per second\n", size_, 2000e9 / static_cast<double>(now_ns() - start));
}

}  // namespace
}  // namespace edgelab::batch
