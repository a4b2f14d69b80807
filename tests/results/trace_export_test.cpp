#include "results/trace_export.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "results/sample_run.hpp"

namespace edgelab::results {
namespace {

using Json = nlohmann::ordered_json;

std::vector<Json> events_of(const Json& trace, const char* key, const char* value) {
  std::vector<Json> found;
  for (const Json& event : trace["traceEvents"]) {
    if (event.value(key, "") == value) found.push_back(event);
  }
  return found;
}

TEST(TraceExport, HasASliceForEachJobOnEachRankAndOneForEachSpanWithinIt) {
  RunRecord run;
  run.jobs.push_back(test::sample_job("serial"));
  const Json trace = trace_events(run);
  const std::vector<Json> jobs = events_of(trace, "cat", "job"), spans = events_of(trace, "cat", "span");
  ASSERT_EQ(jobs.size(), 2u);
  ASSERT_EQ(spans.size(), 8u);
  EXPECT_EQ(jobs[0]["ts"], 0.0);
  EXPECT_EQ(jobs[0]["dur"], 63e9 / 1e3 + 0.001);
  EXPECT_EQ(jobs[0]["args"]["role"], "stage 0: layers 0 to 12");
  for (const Json& span : spans) {
    const Json& job = span["tid"] == jobs[0]["tid"] ? jobs[0] : jobs[1];
    EXPECT_EQ(span["pid"], job["pid"]);
    EXPECT_GE(span["ts"], job["ts"]);
    EXPECT_LE(span["ts"].get<double>() + span["dur"].get<double>(), job["ts"].get<double>() + job["dur"].get<double>());
  }
  EXPECT_EQ(spans[2]["name"], "wait");
  EXPECT_EQ(spans[2]["ts"], 1000.0);
  EXPECT_EQ(spans[2]["dur"], 100.0);
  EXPECT_EQ(spans[2]["args"]["micro-batch"], 1);
}

TEST(TraceExport, NamesHostsAndRanksOnce) {
  const Json trace = trace_events(test::sample_run());
  const std::vector<Json> hosts = events_of(trace, "name", "process_name"),
                          ranks = events_of(trace, "name", "thread_name");
  ASSERT_EQ(hosts.size(), 2u);
  EXPECT_EQ(hosts[0]["args"]["name"], "pi-0");
  ASSERT_EQ(ranks.size(), 2u);
  EXPECT_EQ(ranks[0]["args"]["name"], "rank 1");
}

TEST(TraceExport, LeavesOutJobsThatNeverRan) {
  EXPECT_TRUE(trace_events({})["traceEvents"].empty());
  const Json trace = trace_events(test::sample_run());
  EXPECT_TRUE(events_of(trace, "name", "after/pruned").empty());
}

}  // namespace
}  // namespace edgelab::results
