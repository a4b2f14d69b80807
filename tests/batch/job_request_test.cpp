#include "batch/job_request.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scheduler_support.hpp"

namespace edgelab::batch {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

ClusterHosts four_pis() {
  ClusterHosts cluster = test::hosts_with({1, 2, 1, 1});
  cluster.hosts[0] = {"pi4", 2'000'000'000, {"asimd"}};
  cluster.hosts[1] = {"pi5a", 8'000'000'000, {"asimd", "asimddp"}};
  cluster.hosts[2] = {"pi5b", 4'000'000'000, {"asimd", "asimddp"}};
  cluster.hosts[3] = {"unknown", 0, {}};
  return cluster;
}

tasks::JobSpec spec(int ranks, std::optional<tasks::RequiresSpec> demand = {}) {
  tasks::JobSpec job;
  job.id = "pipeline";
  job.ranks = ranks;
  job.requirements = std::move(demand);
  return job;
}

TEST(Requires, NamesTheHostsThatHaveTheMemoryAndTheFeatures) {
  const ClusterHosts cluster = four_pis();
  EXPECT_THAT(hosts_for({}, cluster), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(hosts_for(tasks::RequiresSpec{4'000'000'000, {}}, cluster), ElementsAre(1, 2));
  EXPECT_THAT(hosts_for(tasks::RequiresSpec{{}, {"neon"}}, cluster), ElementsAre(0, 1, 2));
  EXPECT_THAT(hosts_for(tasks::RequiresSpec{5'000'000'000, {"neon-dotprod"}}, cluster), ElementsAre(1));
  EXPECT_THAT(hosts_for(tasks::RequiresSpec{{}, {"avx2"}}, cluster), IsEmpty());
}

TEST(CannotRun, PassesWhatCanRun) {
  EXPECT_THAT(cannot_run({spec(5), spec(3, tasks::RequiresSpec{{}, {"neon-dotprod"}})}, four_pis()), IsEmpty());
}

TEST(CannotRun, NamesAJobThatAsksForMoreRanksThanThereAre) {
  const std::vector<Error> errors = cannot_run({spec(6)}, four_pis());
  ASSERT_THAT(errors, SizeIs(1));
  EXPECT_EQ(exit_code_of(errors[0].kind()), 3);
  EXPECT_THAT(errors[0].what(),
              HasSubstr("job pipeline asks for more ranks than there are (got 6 ranks asked, expected at most 5)"));
}

TEST(CannotRun, SaysWhatEachHostLacks) {
  const std::vector<Error> errors =
      cannot_run({spec(1, tasks::RequiresSpec{5'000'000'000, {"neon-bf16"}})}, four_pis());
  ASSERT_THAT(errors, SizeIs(1));
  EXPECT_EQ(exit_code_of(errors[0].kind()), 3);
  EXPECT_THAT(errors[0].what(), HasSubstr("no host has what job pipeline requires (got pi4 has 2.0 GB of memory and no "
                                          "neon-bf16; pi5a has no neon-bf16; "
                                          "pi5b has 4.0 GB of memory and no neon-bf16; 1 more lacks something too, "
                                          "expected 5GB of memory and neon-bf16)"));
}

TEST(CannotRun, NamesTheHostsThatWouldDoButHaveTooFewRanks) {
  const std::vector<Error> errors = cannot_run({spec(4, tasks::RequiresSpec{{}, {"neon-dotprod"}})}, four_pis());
  ASSERT_THAT(errors, SizeIs(1));
  EXPECT_THAT(errors[0].what(),
              HasSubstr("(got 4 ranks with neon-dotprod asked, expected at most 3, on pi5a and pi5b)"));
}

TEST(Scheduler, RunsAJobOnlyOnHostsThatHaveWhatItRequires) {
  std::vector<JobRequest> jobs = {test::job("plain"), test::job("a"), test::job("b"), test::job("c"),
                                  test::job("impossible")};
  for (const std::size_t index : {1, 2, 3}) jobs[index].demand = tasks::RequiresSpec{{}, {"neon-dotprod"}};
  jobs[3].demand->memory_bytes = 8'000'000'000;
  jobs[4].demand = tasks::RequiresSpec{{}, {"avx2"}};
  jobs[3].priority = 1;
  Scheduler scheduler(jobs, four_pis());
  const Actions actions = scheduler.begin(0);
  ASSERT_THAT(test::started(actions), ElementsAre(3, 0, 1, 2));
  EXPECT_THAT(actions.start[0].ranks, ElementsAre(1));
  EXPECT_THAT(actions.start[1].ranks, ElementsAre(0));
  EXPECT_THAT(actions.start[2].ranks, ElementsAre(2));
  EXPECT_THAT(actions.start[3].ranks, ElementsAre(3));
  ASSERT_THAT(actions.skip, SizeIs(1));
  EXPECT_EQ(actions.skip[0].reason, "it asks for 1 rank with avx2, and none is left");
}

TEST(Scheduler, PlacesRanksAsTheJobAsks) {
  std::vector<JobRequest> jobs = {test::job("packed", 2), test::job("spread", 3)};
  jobs[1].placement = tasks::Placement::spread;
  Scheduler scheduler(jobs, test::hosts_with({2, 2, 2}));
  const Actions actions = scheduler.begin(0);
  EXPECT_THAT(actions.start[0].ranks, ElementsAre(0, 1));
  EXPECT_THAT(actions.start[1].ranks, ElementsAre(2, 3, 4));
}

}  // namespace
}  // namespace edgelab::batch
