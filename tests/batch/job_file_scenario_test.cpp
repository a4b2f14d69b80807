#include <gtest/gtest.h>

#include "job_file_support.hpp"

namespace edgelab::batch {
namespace {

using test::Folder;
using test::kDefaults;

TEST(JobFileScenario, IsAKindOrAMap) {
  const Batch batch = Folder().load(
      kDefaults +
      "jobs:\n  - id: none\n  - id: name\n    scenario: offline\n  - id: map\n    scenario: {kind: server, "
      "latency_bound: 15ms, rate: 250, tolerance: 0.02, min_queries: 100, min_duration: 2s, max_duration: 1m}\n");
  EXPECT_FALSE(batch.jobs[0].scenario);
  tasks::ScenarioSpec named;
  named.kind = tasks::Scenario::offline;
  EXPECT_EQ(batch.jobs[1].scenario, named);
  const tasks::ScenarioSpec mapped{tasks::Scenario::server, 15'000'000,    250.0, 0.02, 8, 100,
                                   2'000'000'000,           60'000'000'000};
  EXPECT_EQ(batch.jobs[2].scenario, mapped);
}

TEST(JobFileScenario, OfASweepIsSetByItsKey) {
  const Batch batch = Folder().load(
      kDefaults +
      "jobs:\n  - id: s\n    scenario: {min_duration: 1s}\n    matrix: {scenario.kind: [multi_stream, offline]}\n");
  ASSERT_EQ(batch.jobs.size(), 2u);
  EXPECT_EQ(batch.jobs[0].scenario->kind, tasks::Scenario::multi_stream);
  EXPECT_EQ(batch.jobs[1].scenario->kind, tasks::Scenario::offline);
  EXPECT_EQ(batch.jobs[1].scenario->min_duration_ns, 1'000'000'000);
}

TEST(JobFileScenario, OfAServerWithoutABoundIsAnErrorAtItsPlace) {
  EXPECT_EQ(Folder().errors(kDefaults + "jobs:\n  - id: s\n    scenario: server\n"),
            "j.yaml:4:15: error: scenario: server needs \"latency_bound\"; say scenario: {kind: server, latency_bound: "
            "15ms}");
}

TEST(JobFileScenario, CannotLastLongerThanItMay) {
  EXPECT_EQ(Folder().errors(kDefaults + "jobs:\n  - id: s\n    scenario: {kind: offline, min_duration: 2h}\n"),
            "j.yaml:4:45: error: \"scenario.min_duration\" is longer than \"max_duration\"");
}

TEST(JobFileScenario, OfAnUnknownKindNamesThoseThereAre) {
  EXPECT_NE(Folder()
                .errors(kDefaults + "jobs:\n  - id: s\n    scenario: {kind: servant}\n")
                .find("single_stream, multi_stream, server"),
            std::string::npos);
}

}  // namespace
}  // namespace edgelab::batch
