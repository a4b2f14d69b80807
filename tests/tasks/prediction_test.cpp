#include "tasks/split/prediction.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "core/error.hpp"
#include "graph/passes/passes.hpp"
#include "models/model.hpp"
#include "models/random_weights.hpp"
#include "tasks/forecast.hpp"
#include "tasks/training_job.hpp"

namespace edgelab::tasks {
namespace {

graph::Graph fused(const std::string& arch) {
  models::ModelOptions options;
  options.arch = arch;
  options.classes = 10;
  if (arch == "mobilenet_v2") {
    options.input_size = 64;
  } else {
    options.img_size = 96;
    options.patch_size = 8;
    options.embed_dim = 96;
    options.num_heads = 6;
  }
  graph::Graph graph = models::build(options, 1);
  models::bind_random(graph, 1, 1);
  return graph::optimise(graph);
}

// A machine that does an operation in so many nanoseconds.
MeasuredCosts made_up(const graph::Graph& graph, int ranks, double ns_per_flop, parallel::Link link) {
  MeasuredCosts costs;
  for (const graph::Node& node : graph.nodes()) costs.nodes.push_back(ns_per_flop * static_cast<double>(graph.flop(node)));
  costs.slowness.assign(static_cast<std::size_t>(ranks), 1.0);
  costs.link = link;
  return costs;
}

std::vector<Prediction> all(const graph::Graph& graph, const MeasuredCosts& costs, parallel::Wire wire = parallel::Wire::fp32) {
  std::vector<Prediction> predictions;
  for (const Ways& ways : layouts_for(static_cast<int>(costs.slowness.size()))) predictions.push_back(predict(graph, costs, ways, wire, {500}));
  return predictions;
}

// One machine of six seems to be a hundred times slower than it is: its member of every stage has less, in all stages alike.
TEST(MemberSpeeds, AddUpOverTheStages) {
  EXPECT_EQ(member_speeds({.pipeline = 2, .tensor = 3}, {100.0, 1.0, 1.0, 1.0, 0.5, 1.0}), (std::vector<double>{1.01, 3.0, 2.0}));
  EXPECT_EQ(member_speeds({.sequence = 2}, {1.0, 4.0}), (std::vector<double>{1.0, 0.25}));
  EXPECT_EQ(member_speeds({.pipeline = 3}, {1.0, 2.0, 4.0}), (std::vector<double>{1.75}));
}

class Predictions : public testing::TestWithParam<const char*> {};

TEST_P(Predictions, OneRankTakesWhatItsLayersTake) {
  const graph::Graph graph = fused(GetParam());
  const MeasuredCosts costs = made_up(graph, 4, 0.1, {1e5, 8});
  const Prediction one = predict(graph, costs, {}, parallel::Wire::fp32, {500});
  const double sum = std::accumulate(costs.nodes.begin(), costs.nodes.end(), 0.0);
  EXPECT_NEAR(one.latency_ns, sum, 1e-6 * sum);
  EXPECT_NEAR(one.samples_per_second, 1e9 / sum, 1e-6 * 1e9 / sum);
  EXPECT_EQ(one.wire_bytes, 0.0);
}

TEST_P(Predictions, WithAFreeLinkEveryStrategyGainsAndNoneGainsMoreThanItHasRanks) {
  const graph::Graph graph = fused(GetParam());
  const std::vector<Prediction> predictions = all(graph, made_up(graph, 4, 0.1, {}));
  for (const Prediction& p : predictions) {
    ASSERT_EQ(p.refusal, "") << name_of(p.ways);
    const double ranks = p.ways.pipeline * p.ways.members(), gain = p.samples_per_second / predictions.front().samples_per_second;
    EXPECT_LE(gain, ranks * 1.0001) << name_of(p.ways);
    if (ranks > 1) {
      EXPECT_GT(gain, 1.2) << name_of(p.ways);
    }
  }
}

TEST_P(Predictions, ASlowLinkMakesOneRankTheChoice) {
  const graph::Graph graph = fused(GetParam());
  const std::vector<Prediction> predictions = all(graph, made_up(graph, 4, 0.01, {1e6, 1000}));
  for (const Objective objective : {Objective::latency, Objective::throughput}) {
    EXPECT_EQ(name_of(predictions[best_of(predictions, objective)].ways), "one rank");
    EXPECT_NE(reason_for(predictions, 0, objective).find("messages"), std::string::npos) << reason_for(predictions, 0, objective);
  }
}

TEST_P(Predictions, NarrowWiresSendLess) {
  const graph::Graph graph = fused(GetParam());
  const MeasuredCosts costs = made_up(graph, 4, 0.1, {1e5, 8});
  for (const Ways& ways : {Ways{.pipeline = 4}, Ways{.tensor = 4}, Ways{.sequence = 4}}) {
    const double fp32 = predict(graph, costs, ways, parallel::Wire::fp32, {500}).wire_bytes, int8 = predict(graph, costs, ways, parallel::Wire::int8, {500}).wire_bytes;
    EXPECT_GT(int8, 0.2 * fp32) << name_of(ways);
    EXPECT_LT(int8, 0.5 * fp32) << name_of(ways);
  }
}

TEST_P(Predictions, ACutOfTheJobsOwnIsNoBetterThanTheBestOne) {
  const graph::Graph graph = fused(GetParam());
  const MeasuredCosts costs = made_up(graph, 4, 0.1, {1e5, 8});
  const bool mobile = std::string(GetParam()) == "mobilenet_v2";
  const Prediction best = predict(graph, costs, {.pipeline = 4}, parallel::Wire::fp32, {500});
  const Prediction lopsided = predict(graph, costs, {.pipeline = 4}, parallel::Wire::fp32, {500, 1, mobile ? std::vector{14, 1, 1, 1} : std::vector{9, 1, 1, 1}});
  ASSERT_EQ(lopsided.refusal, "");
  EXPECT_LT(lopsided.samples_per_second, 0.8 * best.samples_per_second);
  EXPECT_EQ(name_of(lopsided), mobile ? "pipeline of 4 as [14, 1, 1, 1]" : "pipeline of 4 as [9, 1, 1, 1]");
  EXPECT_NE(predict(graph, costs, {.pipeline = 4}, parallel::Wire::fp32, {500, 1, {1, 1, 1, 1}}).refusal, "");
}

TEST_P(Predictions, CopiesAreSoManyTimesAsFastAsTheSlowestOfThem) {
  const graph::Graph graph = fused(GetParam());
  MeasuredCosts costs = made_up(graph, 4, 0.1, {1e5, 8});
  const Prediction one = predict(graph, costs, {.pipeline = 2}, parallel::Wire::fp32, {250});
  const Prediction two = predict(graph, costs, {.pipeline = 2, .data = 2}, parallel::Wire::fp32, {500});
  EXPECT_EQ(name_of(two), "data over 2 × pipeline of 2");
  EXPECT_NEAR(two.samples_per_second, 2 * one.samples_per_second, 1e-6 * two.samples_per_second);
  EXPECT_EQ(two.latency_ns, one.latency_ns);
  EXPECT_EQ(two.wire_bytes, one.wire_bytes);
  costs.slowness = {1.0, 1.0, 3.0, 3.0};
  const Prediction held_up = predict(graph, costs, {.pipeline = 2, .data = 2}, parallel::Wire::fp32, {500});
  EXPECT_LT(held_up.samples_per_second, 0.5 * two.samples_per_second);
  EXPECT_NE(predict(graph, costs, {.pipeline = 2, .data = 2}, parallel::Wire::fp32, {500, 1, {1, 1}}).refusal, "");
}

// A stage's processor is busy with the bytes that it receives and sends, longer where a quota stops it; of a rank that shares layers what
// was measured at full speed is included already.
TEST_P(Predictions, MessagesCostTheProcessorTime) {
  const graph::Graph graph = fused(GetParam());
  MeasuredCosts costs = made_up(graph, 4, 0.1, {1e4, 1});
  const auto of = [&](const Ways& ways) { return predict(graph, costs, ways, parallel::Wire::fp32, {500}); };
  const Prediction pipeline = of({.pipeline = 2}), tensor = of({.tensor = 2}), one = of({});
  costs.link.cpu_ns_per_byte = 2.0;
  const double crosses = pipeline.wire_bytes - 4.0 * 10;  // the logits go back
  EXPECT_NEAR(of({.pipeline = 2}).slowest_stage_ns, pipeline.slowest_stage_ns + crosses, 1e-6 * pipeline.slowest_stage_ns);
  EXPECT_EQ(of({.tensor = 2}).latency_ns, tensor.latency_ns);
  costs.share = 0.5;
  EXPECT_NEAR(of({.pipeline = 2}).slowest_stage_ns, pipeline.slowest_stage_ns + 2 * crosses, 1e-6 * pipeline.slowest_stage_ns);
  EXPECT_GT(of({.tensor = 2}).latency_ns, tensor.latency_ns);
  EXPECT_EQ(of({}).latency_ns, one.latency_ns);
}

TEST_P(Predictions, ACallOfSeveralMicroBatchesTakesLongerThanOneAndLessThanOneAfterTheOther) {
  const graph::Graph graph = fused(GetParam());
  const MeasuredCosts costs = made_up(graph, 4, 0.1, {1e4, 1});
  const auto call_ns = [&](std::int64_t micro_batches) { return predict(graph, costs, {.pipeline = 4}, parallel::Wire::fp32, {micro_batches, static_cast<int>(micro_batches)}).latency_ns; };
  EXPECT_GT(call_ns(8), 2 * call_ns(1));
  EXPECT_LT(call_ns(8), 6 * call_ns(1));
}

INSTANTIATE_TEST_SUITE_P(Models, Predictions, testing::Values("mobilenet_v2", "deit_small_patch16_224"));

JobSpec small_pipeline() {
  JobSpec spec;
  spec.id = "job";
  spec.task = Task::infer;
  spec.data.dataset = "shapes10";
  spec.data.limit = 20;
  spec.model.arch = "vit_tiny_patch16_224";
  spec.model.img_size = 32;
  spec.model.patch_size = 4;
  spec.model.depth = 6;
  spec.model.embed_dim = 96;
  spec.ranks = 2;
  spec.parallel.strategy = Strategy::pipeline;
  return spec;
}

TEST(Forecasts, OfAJobThatNamesItsCutAreOfThatCut) {
  JobSpec spec = small_pipeline();
  spec.parallel.partition = {5, 1};
  const Forecast own = forecast(spec, 1);
  const Prediction& chosen = own.layouts[own.chosen];
  EXPECT_EQ(name_of(chosen), "pipeline of 2 as [5, 1]");
  EXPECT_TRUE(own.layout.starts_with("pipeline of 2 as [5, 1], as the job says")) << own.layout;
  const auto best = std::find_if(own.layouts.begin(), own.layouts.end(), [](const Prediction& p) { return name_of(p) == "pipeline of 2"; });
  ASSERT_NE(best, own.layouts.end()) << "the best cut stands beside it";
  EXPECT_GT(chosen.slowest_stage_ns, best->slowest_stage_ns);  // of the same measured times
}

TEST(Forecasts, OfAJobThatLeavesTheCutOpenAreOfTheBestOne) {
  const Forecast open = forecast(small_pipeline(), 1);
  EXPECT_EQ(name_of(open.layouts[open.chosen]), "pipeline of 2");
}

TEST(Forecasts, RefuseACutThatDoesNotFit) {
  JobSpec spec = small_pipeline();
  spec.parallel.partition = {5, 5};
  EXPECT_THROW(forecast(spec, 1), Error);
}

// 192 samples in batches of 24, three times: 24 steps. Tokens: 16 patches and the class token, 24 wide.
constexpr double kStepsOfTraining = 24, kBytesOfASample = 17 * 24 * 4;

TEST(ForecastsOfTraining, APipelineSendsBlocksForwardAndTheirGradientsBack) {
  JobSpec spec = example::small_training();
  spec.ranks = 2;
  spec.parallel.strategy = Strategy::pipeline;
  spec.parallel.microbatch = 6;
  const Forecast fp32 = forecast(spec, 1);
  EXPECT_EQ(fp32.layout, "2 stages, 4 micro-batches a step: a pipeline of training (1F1B)");
  EXPECT_EQ(fp32.calls, 24);
  EXPECT_EQ(static_cast<double>(fp32.wire_bytes), kStepsOfTraining * 2 * 24 * kBytesOfASample);
  EXPECT_EQ(fp32.total_ns, fp32.calls * fp32.latency_ns);
  spec.parallel.wire = Wire::bf16;
  EXPECT_EQ(2 * forecast(spec, 1).wire_bytes, fp32.wire_bytes);
}

TEST(ForecastsOfTraining, TensorParallelRanksSendSumsOfBlocks) {
  JobSpec spec = example::small_training();
  spec.ranks = 3;
  spec.parallel.strategy = Strategy::tensor;
  const Forecast result = forecast(spec, 1);
  EXPECT_NE(result.layout.find("3 ranks share heads and hidden units"), std::string::npos) << result.layout;
  // Two blocks, two sums each and as many back; a sum is scattered, then gathered, and either way two thirds of it travel from each.
  EXPECT_EQ(static_cast<double>(result.wire_bytes), kStepsOfTraining * (2 * 2 * 2) * (2 * 2) * 24 * kBytesOfASample);
}

TEST(ForecastsOfTraining, CopiesSendGradientsBesides) {
  JobSpec spec = example::small_training();
  spec.ranks = 4;
  spec.parallel.pipeline = spec.parallel.data = 2;
  spec.parallel.microbatch = 6;
  const Forecast result = forecast(spec, 1);
  EXPECT_TRUE(result.layout.starts_with("2 copies with a share of each batch")) << result.layout;
  EXPECT_EQ(static_cast<double>(result.wire_bytes), kStepsOfTraining * 2 * (24 * kBytesOfASample + 4.0 * static_cast<double>(result.parameters)));
}

TEST(Layouts, AreOneRankAndAllProductsOfEveryCount) {
  const std::vector<Ways> layouts = layouts_for(4);
  EXPECT_EQ(layouts.size(), 1u + 3 + 3 + 5);  // one; of 2 and 3: pipeline, tensor, sequence; of 4 also 2 × 2 twice
  for (const Ways& ways : layouts) EXPECT_LE(ways.pipeline * ways.members(), 4);
  EXPECT_EQ(name_of(Ways{.pipeline = 2, .tensor = 2}), "pipeline of 2 × tensor over 2");
}

}  // namespace
}  // namespace edgelab::tasks
