#include "parallel/pipeline_simulation.hpp"

#include <gtest/gtest.h>

namespace edgelab::parallel {
namespace {

// Stages of one rank each, which compute and exchange nothing.
std::vector<std::vector<PipelineModel::Segment>> alone(const std::vector<double>& stage_ns) {
  std::vector<std::vector<PipelineModel::Segment>> stages;
  for (const double ns : stage_ns) stages.push_back({{ns, 0.0}});
  return stages;
}

TEST(PipelineSimulation, OneStageIsALoop) {
  const PipelineTimes times = simulate({alone({10.0}), {}, 4.0, {5.0, 1.0}, 7, 1});
  EXPECT_DOUBLE_EQ(times.total_ns, 70.0);
  EXPECT_DOUBLE_EQ(times.latency_ns, 10.0);
}

TEST(PipelineSimulation, OneMicroBatchTakesAllStagesAndAllLinks) {
  const PipelineTimes times = simulate({alone({10.0, 20.0, 30.0}), {100.0, 50.0}, 10.0, {5.0, 0.1}, 1, 6});
  EXPECT_DOUBLE_EQ(times.total_ns, 10 + 20 + 30 + 3 * 5 + 0.1 * (100 + 50 + 10));
}

TEST(PipelineSimulation, ManyComeAtTheSlowestStagesOrLinksPace) {
  const auto pace = [](const PipelineModel& model) {
    PipelineModel more = model;
    more.microbatches = model.microbatches + 100;
    return (simulate(more).total_ns - simulate(model).total_ns) / 100;
  };
  PipelineModel model{alone({10.0, 20.0, 15.0}), {100.0, 50.0}, 1.0, {5.0, 0.1}, 50, 6};
  EXPECT_NEAR(pace(model), 20.0, 1e-9);
  model.link.ns_per_byte = 0.5;  // the first link: 50 ns
  model.in_flight = 100;
  EXPECT_NEAR(pace(model), 50.0, 1e-9);
}

TEST(PipelineSimulation, TooFewInFlightLeaveStagesIdleAndMoreThanNeededMakeThemQueue) {
  PipelineModel model{alone({10.0, 10.0, 10.0, 10.0}), {0, 0, 0}, 0, {}, 200, 1};
  EXPECT_DOUBLE_EQ(simulate(model).total_ns, 200 * 40.0);  // one by one
  model.in_flight = 4;
  EXPECT_DOUBLE_EQ(simulate(model).total_ns, (200 + 3) * 10.0);
  EXPECT_DOUBLE_EQ(simulate(model).latency_ns, 40.0);
  model.stages.back() = {{20.0}};
  model.in_flight = 8;
  const double queued = simulate(model).latency_ns;
  model.in_flight = 16;
  EXPECT_GT(simulate(model).latency_ns, queued);
}

TEST(PipelineSimulation, ACallRunsFromItsFirstMicroBatchsEntryToItsLastOnesAnswer) {
  PipelineModel model{alone({10.0, 10.0}), {0}, 0, {}, 4, 4};
  model.a_call = 2;
  EXPECT_DOUBLE_EQ(simulate(model).total_ns, 50.0);
  EXPECT_DOUBLE_EQ(simulate(model).latency_ns, 30.0);
  model.microbatches = 3;  // the last call has one
  EXPECT_DOUBLE_EQ(simulate(model).latency_ns, 25.0);
}

TEST(PipelineSimulation, RanksOfAStageWaitForTheirExchangesWhichAddUp) {
  EXPECT_DOUBLE_EQ(simulate({{{{10.0, 3.0}, {20.0, 4.0}}}, {}, 0, {}, 5, 1}).total_ns, 5 * 37.0);
}

TEST(PacedProcessor, WorksThroughItsShareOfEachPeriodAndStandsStillForTheRest) {
  PacedProcessor processor({40.0, 100.0});
  EXPECT_DOUBLE_EQ(processor.finish(0.0, 50.0), 20.0);     // 50 at the average pace are 20 at full speed
  EXPECT_DOUBLE_EQ(processor.finish(20.0, 100.0), 120.0);  // 20 more of this period, and 20 of the next
  EXPECT_DOUBLE_EQ(processor.finish(190.0, 50.0), 210.0);  // over the end of a period of which half was left
  EXPECT_DOUBLE_EQ(processor.finish(1000.0, 1000.0), 1000.0 + 9 * 100.0 + 40.0);
}

TEST(PacedProcessor, HoldsNobodyBackWithoutAQuotaOrWithOneForAllThreads) {
  EXPECT_DOUBLE_EQ(PacedProcessor(pace_of(std::nullopt, 2)).finish(7.0, 50.0), 57.0);
  EXPECT_FALSE(pace_of(CpuQuota{200.0, 100.0}, 2).held_back());
  EXPECT_DOUBLE_EQ(pace_of(CpuQuota{100.0, 100.0}, 2).share(), 0.5);
}

TEST(PacedProcessor, InTheLongRunComesToTheAveragePace) {
  PacedProcessor processor({1.0, 2.5}, 0.7);
  double now = 0.0;
  for (int i = 0; i < 10000; ++i) now = processor.finish(now, 0.37);
  EXPECT_NEAR(now, 3700.0, 2.5);
}

// Four ranks that compute a little between messages use what they had left over; without waits they have nothing left over.
TEST(PipelineSimulation, RanksThatWaitWorkFasterThanTheirQuotaOnAverage) {
  const std::vector<Pace> paces(4, Pace{1.0, 2.5});
  const auto total = [&](double exchange_ns) {
    PipelineModel model{{std::vector<PipelineModel::Segment>(100, {2.0, exchange_ns})}, {}, 0, {}, 10, 1};
    model.paces = paces;
    return simulate(model).total_ns - 1000 * exchange_ns;
  };
  EXPECT_NEAR(total(0.0), 1000 * 2.0, 200.0);
  EXPECT_LT(total(1.5), 1000 * 1.6);
  EXPECT_GT(total(1.5), 1000 * 0.79);  // never faster than at full speed
}

}  // namespace
}  // namespace edgelab::parallel
