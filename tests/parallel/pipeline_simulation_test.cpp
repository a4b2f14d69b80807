#include "parallel/pipeline_simulation.hpp"

#include <gtest/gtest.h>

namespace edgelab::parallel {
namespace {

TEST(PipelineSimulation, OneStageIsALoop) {
  const PipelineTimes times = simulate({{10.0}, {}, 4.0, {5.0, 1.0}, 7, 1});
  EXPECT_DOUBLE_EQ(times.total_ns, 70.0);
  EXPECT_DOUBLE_EQ(times.latency_ns, 10.0);
}

TEST(PipelineSimulation, OneMicroBatchTakesAllStagesAndAllLinks) {
  const PipelineTimes times = simulate({{10.0, 20.0, 30.0}, {100.0, 50.0}, 10.0, {5.0, 0.1}, 1, 6});
  EXPECT_DOUBLE_EQ(times.total_ns, 10 + 20 + 30 + 3 * 5 + 0.1 * (100 + 50 + 10));
}

TEST(PipelineSimulation, ManyComeAtTheSlowestStagesOrLinksPace) {
  const auto pace = [](const PipelineModel& model) {
    PipelineModel more = model;
    more.microbatches = model.microbatches + 100;
    return (simulate(more).total_ns - simulate(model).total_ns) / 100;
  };
  PipelineModel model{{10.0, 20.0, 15.0}, {100.0, 50.0}, 1.0, {5.0, 0.1}, 50, 6};
  EXPECT_NEAR(pace(model), 20.0, 1e-9);
  model.link.ns_per_byte = 0.5;  // the first link: 50 ns
  model.in_flight = 100;
  EXPECT_NEAR(pace(model), 50.0, 1e-9);
}

TEST(PipelineSimulation, TooFewInFlightLeaveStagesIdleAndMoreThanNeededMakeThemQueue) {
  PipelineModel model{{10.0, 10.0, 10.0, 10.0}, {0, 0, 0}, 0, {}, 200, 1};
  EXPECT_DOUBLE_EQ(simulate(model).total_ns, 200 * 40.0);  // one by one
  model.in_flight = 4;
  EXPECT_DOUBLE_EQ(simulate(model).total_ns, (200 + 3) * 10.0);
  EXPECT_DOUBLE_EQ(simulate(model).latency_ns, 40.0);
  model.stage_ns.back() = 20.0;
  model.in_flight = 8;
  const double queued = simulate(model).latency_ns;
  model.in_flight = 16;
  EXPECT_GT(simulate(model).latency_ns, queued);
}

TEST(PipelineSimulation, ACallRunsFromItsFirstMicroBatchsEntryToItsLastOnesAnswer) {
  PipelineModel model{{10.0, 10.0}, {0}, 0, {}, 4, 4};
  model.a_call = 2;
  EXPECT_DOUBLE_EQ(simulate(model).total_ns, 50.0);
  EXPECT_DOUBLE_EQ(simulate(model).latency_ns, 30.0);
  model.microbatches = 3;  // the last call has one
  EXPECT_DOUBLE_EQ(simulate(model).latency_ns, 25.0);
}

}  // namespace
}  // namespace edgelab::parallel
