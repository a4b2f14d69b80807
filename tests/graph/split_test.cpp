#include <gtest/gtest.h>

#include <algorithm>

#include "core/error.hpp"
#include "evaluate.hpp"
#include "graph/passes/passes.hpp"
#include "graph/split/balance.hpp"
#include "graph/split/blocks.hpp"
#include "graph/split/cut.hpp"
#include "models/model.hpp"
#include "models/random_weights.hpp"
#include "support/random_tensor.hpp"
#include "support/small_model.hpp"

namespace edgelab::graph {
namespace {

Graph small_model(const std::string& arch) {
  Graph graph = models::build(test::small_model(arch, 4), 2);
  models::bind_random(graph, 1, 1);
  return graph;
}

// Every node of a graph of any number of inputs and outputs on the plain references.
std::vector<Tensor> evaluate_all(const Graph& graph, const std::vector<Tensor>& inputs) {
  std::vector<Tensor> values(graph.values().size());
  const auto at = [&](ValueId id) -> Tensor& { return values[static_cast<std::size_t>(id.index)]; };
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = graph.values()[i].data;
  for (std::size_t i = 0; i < inputs.size(); ++i) at(graph.inputs()[i]) = inputs[i];
  for (const Node& node : graph.nodes()) {
    std::vector<Tensor> operands;
    for (const ValueId id : node.inputs) operands.push_back(at(id));
    const std::vector<Tensor> results = kernels::evaluate_reference(node.op, operands);
    for (std::size_t i = 0; i < results.size(); ++i) at(node.outputs[i]) = results[i];
  }
  std::vector<Tensor> outputs;
  for (const ValueId id : graph.outputs()) outputs.push_back(at(id));
  return outputs;
}

void expect_stages_give_the_whole(const Graph& graph, const std::vector<std::size_t>& starts) {
  const Tensor x = test::random_tensor(graph.type(graph.inputs().front()).shape, 3);
  std::vector<Tensor> values = {x};
  std::size_t nodes = 0;
  for (const Graph& stage : cut(graph, starts)) {
    ASSERT_EQ(stage.inputs().size(), values.size());
    for (std::size_t i = 0; i < values.size(); ++i) ASSERT_EQ(stage.type(stage.inputs()[i]).shape, values[i].shape());
    values = evaluate_all(stage, values);
    nodes += stage.nodes().size();
  }
  EXPECT_EQ(nodes, graph.nodes().size());
  ASSERT_EQ(values.size(), 1u);
  EXPECT_EQ(test::relative_difference(values.front(), testing::evaluate(graph, x)), 0.0);
}

class Cut : public ::testing::TestWithParam<const char*> {};

TEST_P(Cut, AnywhereGivesTheSameAnswersBitForBit) {
  const Graph written = small_model(GetParam());
  for (const Graph& graph : {written, optimise(written)}) {
    const std::size_t n = graph.nodes().size();
    expect_stages_give_the_whole(graph, {0});
    expect_stages_give_the_whole(graph, {0, n / 2});
    expect_stages_give_the_whole(graph, {0, 1, 3, 4, n - 1});
    expect_stages_give_the_whole(graph, {0, 0, 2, 2, n});  // stages without nodes, at the ends and between
  }
}

TEST_P(Cut, StagesHoldTheirOwnWeightsOnlyAndTogetherAll) {
  const Graph graph = small_model(GetParam());
  std::int64_t elements = 0;
  for (const Graph& stage : cut(graph, std::vector<std::size_t>{0, graph.nodes().size() / 3, graph.nodes().size() / 2})) {
    EXPECT_LT(stage.parameter_elements(), graph.parameter_elements());
    elements += stage.parameter_elements();
  }
  EXPECT_EQ(elements, graph.parameter_elements());
}

TEST_P(Cut, BytesOverACutAreThoseOfTheNextStagesInputs) {
  const Graph graph = optimise(small_model(GetParam()));
  const std::vector<std::int64_t> bytes = bytes_over_cuts(graph);
  ASSERT_EQ(bytes.size(), graph.nodes().size() + 1);
  for (std::size_t start = 0; start <= graph.nodes().size(); ++start) {
    const Graph second = cut(graph, std::vector<std::size_t>{0, start})[1];
    std::int64_t sum = 0;
    for (const ValueId id : second.inputs()) sum += static_cast<std::int64_t>(second.type(id).bytes());
    EXPECT_EQ(sum, bytes[start]) << "in front of node " << start;
  }
}

TEST_P(Cut, ByBlocksPutsTheStemInFrontAndTheHeadBehind) {
  const Graph written = small_model(GetParam());
  for (const Graph& graph : {written, optimise(written)}) {
    const Blocks blocks = blocks_of(graph);
    const int count = static_cast<int>(blocks.first.size());
    EXPECT_EQ(count, std::string(GetParam()) == "mobilenet_v2" ? 17 : 4);
    const std::vector<std::size_t> starts = starts_of(blocks, std::vector<int>{0, count - 1, 1, 0});
    EXPECT_EQ(starts, (std::vector<std::size_t>{0, blocks.first.front(), blocks.first.back(), blocks.end}));
    expect_stages_give_the_whole(graph, starts);
    EXPECT_EQ(starts_of(blocks, std::vector<int>{count}), std::vector<std::size_t>{0});
    EXPECT_THROW(starts_of(blocks, std::vector<int>{1, count}), Error);
    // A part without the second block is cut where the third begins.
    Blocks part = blocks;
    part.first.erase(part.first.begin() + 1), part.number.erase(part.number.begin() + 1);
    EXPECT_EQ(starts_of(blocks, std::vector<int>{1, count - 1}, part), (std::vector<std::size_t>{0, blocks.first[2]}));
  }
}

INSTANTIATE_TEST_SUITE_P(Models, Cut, ::testing::Values("mobilenet_v2", "vit_tiny_patch16_224", "deit_tiny_distilled_patch16_224", "deit3_small_patch16_224"));

TEST(CutGraph, RefusesStartsThatFallOrLeaveTheGraph) {
  const Graph graph = small_model("vit_tiny_patch16_224");
  EXPECT_THROW(cut(graph, std::vector<std::size_t>{1, 2}), Error);
  EXPECT_THROW(cut(graph, std::vector<std::size_t>{0, 3, 2}), Error);
  EXPECT_THROW(cut(graph, std::vector<std::size_t>{0, graph.nodes().size() + 1}), Error);
}

// All ways to cut, for the optimum.
double least_bottleneck(std::span<const double> costs, std::span<const double> slowness, const CutCosts& cuts, std::vector<std::size_t> starts = {0}) {
  if (starts.size() == slowness.size()) return bottleneck(starts, costs, slowness, cuts);
  double least = 1e300;
  for (std::size_t next = starts.back(); next <= costs.size(); ++next) {
    std::vector<std::size_t> more = starts;
    more.push_back(next);
    least = std::min(least, least_bottleneck(costs, slowness, cuts, more));
  }
  return least;
}

TEST(Balance, FindsTheBestOfAllCuts) {
  CounterRandom random(stream_key(5, "balance"));
  for (int trial = 0; trial < 200; ++trial) {
    const std::size_t nodes = 1 + random.below(7), stages = 1 + random.below(5);
    std::vector<double> costs(nodes), slowness(stages);
    CutCosts cuts{std::vector<double>(nodes + 1), std::vector<double>(trial % 2 == 0 ? nodes + 1 : 0)};
    for (double& each : costs) each = random.uniform();
    for (double& each : slowness) each = 0.5 + random.uniform();
    for (double& each : cuts.link) each = random.uniform();
    for (double& each : cuts.work) each = 0.2 * random.uniform();
    const std::vector<std::size_t> starts = balanced_starts(costs, slowness, cuts);
    ASSERT_EQ(starts.size(), stages);
    EXPECT_TRUE(std::is_sorted(starts.begin(), starts.end()));
    EXPECT_EQ(starts.front(), 0u);
    EXPECT_DOUBLE_EQ(bottleneck(starts, costs, slowness, cuts), least_bottleneck(costs, slowness, cuts));
  }
}

TEST(Balance, GivesASlowMachineLess) {
  const std::vector<double> costs(12, 1.0);
  const std::vector<std::size_t> starts = balanced_starts(costs, std::vector<double>{1, 1, 2, 4});
  EXPECT_DOUBLE_EQ(bottleneck(starts, costs, std::vector<double>{1, 1, 2, 4}), 5.0);  // 5 + 4 or 5 + 2 + 1
  EXPECT_LE(12 - starts[3], 1u);
}

// Eight equal nodes over three stages, of which the one in the middle sends and receives.
TEST(Balance, GivesAStageThatHandlesMoreMessagesLess) {
  const std::vector<double> costs(8, 1.0), equal(3, 1.0);
  const CutCosts cuts{{}, std::vector<double>(9, 0.5)};
  const std::vector<std::size_t> starts = balanced_starts(costs, equal, cuts);
  EXPECT_DOUBLE_EQ(bottleneck(starts, costs, equal, cuts), 3.5);
  EXPECT_EQ(starts[2] - starts[1], 2u);
}

// Measured times differ a little; what goes over a cut differs by times.
TEST(Balance, TakesTheCheapestOfCutsThatAreAboutAsGood) {
  const std::vector<double> costs = {1.0, 1.0, 0.05, 1.0, 1.0}, nearly_equal = {1.0, 0.99};
  const CutCosts cuts{{0, 0.1, 0.4, 0.2, 0.4, 0}, {}};
  EXPECT_EQ(balanced_starts(costs, nearly_equal, cuts), (std::vector<std::size_t>{0, 2}));
  EXPECT_EQ(balanced_starts(costs, nearly_equal, cuts, 0.05), (std::vector<std::size_t>{0, 3})) << "the cut in front of node 1 is the cheapest, and much worse";
}

TEST(Balance, AvoidsAnExpensiveCutAndLeavesStagesEmptyWhereThereAreTooMany) {
  const std::vector<double> costs = {1, 1, 1, 1}, equal = {1, 1};
  EXPECT_EQ(balanced_starts(costs, equal), (std::vector<std::size_t>{0, 2}));
  EXPECT_EQ(balanced_starts(costs, equal, {{0, 0, 9, 0, 0}, {}}), (std::vector<std::size_t>{0, 1}));
  const std::vector<std::size_t> starts = balanced_starts(costs, std::vector<double>(9, 1.0));
  EXPECT_DOUBLE_EQ(bottleneck(starts, costs, std::vector<double>(9, 1.0)), 1.0);
}

}  // namespace
}  // namespace edgelab::graph
