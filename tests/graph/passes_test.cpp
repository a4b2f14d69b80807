#include "graph/passes/passes.hpp"
#include "graph/passes/rewrite.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "kernels/activation/activation.hpp"
#include "kernels/batch_norm/batch_norm.hpp"
#include "kernels/binary/binary.hpp"
#include "kernels/conv2d/conv2d.hpp"
#include "kernels/linear/linear.hpp"
#include "kernels/tokens/tokens.hpp"
#include "evaluate.hpp"
#include "support/random_tensor.hpp"

namespace edgelab::graph {
namespace {

using kernels::ActivationKind;
using test::random_tensor;
using testing::evaluate;
using testing::expect_same_answers;

ValueId weight(Graph& graph, const std::string& name, Shape shape, float scale = 0.3f, float shift = 0.0f) {
  return graph.parameter(name, {DType::f32, shape}, random_tensor(shape, stream_key(7, name), scale, shift));
}

ValueId conv_norm_relu6(Graph& graph, const std::string& name, ValueId x, int channels) {
  const std::int64_t in = graph.type(x).shape[1];
  x = graph.add(name + ".0", kernels::Conv2d{}, {x, weight(graph, name + ".0.weight", {channels, in, 1, 1})});
  x = graph.add(name + ".1", kernels::BatchNorm{},
                {x, weight(graph, name + ".1.weight", {channels}, 0.2f, 1.0f), weight(graph, name + ".1.bias", {channels}),
                 weight(graph, name + ".1.running_mean", {channels}), weight(graph, name + ".1.running_var", {channels}, 0.1f, 1.0f)});
  return graph.add(name + ".2", kernels::Activation{ActivationKind::relu6}, {x});
}

Graph residual_block() {
  Graph graph;
  const ValueId x = graph.input("x", {DType::f32, {2, 8, 5, 5}});
  const ValueId first = conv_norm_relu6(graph, "a", x, 8);
  const ValueId second = graph.add("b.0", kernels::Conv2d{}, {first, weight(graph, "b.0.weight", {8, 8, 1, 1})});
  graph.output(graph.add("sum", kernels::Binary{}, {first, second}));
  return graph;
}

TEST(FoldBatchNorm, GivesTheSameAnswersWithoutTheNorm) {
  const Graph before = residual_block();
  const Graph after = fold_batch_norm(before);
  EXPECT_EQ(after.nodes().size(), before.nodes().size() - 1);
  EXPECT_TRUE(after.nodes()[0].op.as<kernels::Conv2d>()->has_bias);
  expect_same_answers(before, after);
}

TEST(FoldBatchNorm, KeepsTheNamesOfWhatItFolded) {
  const Graph after = fold_batch_norm(residual_block());
  const Node& conv = after.nodes()[0];
  EXPECT_EQ(after.value(conv.inputs[1]).name, "a.0.weight");
  EXPECT_EQ(after.value(conv.inputs[2]).name, "a.1.bias");
  EXPECT_EQ(after.value(conv.inputs[2]).origin, "a.1 folded in");
}

TEST(FoldBatchNorm, TakesTheActivationOfTheNormAlong) {
  Graph graph;
  const ValueId x = graph.input("x", {DType::f32, {1, 4, 3, 3}});
  const ValueId y = graph.add("conv", kernels::Conv2d{}, {x, weight(graph, "w", {4, 4, 1, 1})});
  graph.output(graph.add("norm", kernels::BatchNorm{1e-5, ActivationKind::relu6},
                         {y, weight(graph, "g", {4}), weight(graph, "b", {4}), weight(graph, "m", {4}), weight(graph, "v", {4}, 0.1f, 1.0f)}));
  const Graph after = fold_batch_norm(graph);
  ASSERT_EQ(after.nodes().size(), 1u);
  EXPECT_EQ(after.nodes()[0].op.as<kernels::Conv2d>()->activation, ActivationKind::relu6);
  expect_same_answers(graph, after);
}

TEST(FoldBatchNorm, LeavesAConvolutionWithTwoReadersAlone) {
  Graph graph;
  const ValueId x = graph.input("x", {DType::f32, {1, 4, 3, 3}});
  const ValueId y = graph.add("conv", kernels::Conv2d{}, {x, weight(graph, "w", {4, 4, 1, 1})});
  const ValueId z = graph.add("norm", kernels::BatchNorm{}, {y, weight(graph, "g", {4}), weight(graph, "b", {4}), weight(graph, "m", {4}), weight(graph, "v", {4}, 0.1f, 1.0f)});
  graph.output(graph.add("sum", kernels::Binary{}, {z, y}));
  EXPECT_EQ(fold_batch_norm(graph).nodes().size(), 3u);
}

TEST(Optimise, MakesOneNodeOfConvolutionNormAndActivationAndOneOfConvolutionAndSum) {
  const Graph before = residual_block();
  const Graph after = optimise(before);
  ASSERT_EQ(after.nodes().size(), 2u) << after.text();
  EXPECT_EQ(after.nodes()[0].op.as<kernels::Conv2d>()->activation, ActivationKind::relu6);
  EXPECT_TRUE(after.nodes()[1].op.as<kernels::Conv2d>()->has_residual);
  expect_same_answers(before, after);
}

TEST(FoldScale, MovesLayerScaleIntoTheLinearLayerBeforeIt) {
  Graph graph;
  const ValueId x = graph.input("x", {DType::f32, {2, 3, 6}});
  kernels::Linear linear;
  linear.has_bias = true;
  const ValueId y = graph.add("proj", linear, {x, weight(graph, "proj.weight", {6, 6}), weight(graph, "proj.bias", {6})});
  const ValueId scaled = graph.add("ls1", kernels::Binary{kernels::Binary::Kind::multiply}, {y, weight(graph, "ls1.gamma", {6})});
  graph.output(graph.add("sum", kernels::Binary{}, {x, scaled}));
  const Graph after = optimise(graph);
  EXPECT_EQ(after.nodes().size(), 1u) << after.text();
  expect_same_answers(graph, after);
}

TEST(FoldConstants, JoinsTokensThatAreKnownBeforehand) {
  Graph graph;
  const ValueId x = graph.input("x", {DType::f32, {2, 3, 4}});
  const ValueId both = graph.add("tokens", kernels::ConcatTokens{}, {weight(graph, "cls", {1, 1, 4}), weight(graph, "dist", {1, 1, 4})});
  graph.output(graph.add("concat", kernels::ConcatTokens{}, {both, x}));
  const Graph after = fold_constants(graph);
  EXPECT_EQ(after.nodes().size(), 1u);
  expect_same_answers(graph, after);
}

TEST(RemoveDead, LeavesOutWhatNoOutputNeeds) {
  Graph graph = residual_block();
  graph.add("unused", kernels::Activation{}, {graph.inputs().front()});
  const Graph after = remove_dead(graph);
  EXPECT_EQ(after.nodes().size(), graph.nodes().size() - 1);
  expect_same_answers(graph, after);
}

TEST(Graph, NamesTheLayerWhoseInputsDoNotFit) {
  Graph graph;
  const ValueId x = graph.input("x", {DType::f32, {1, 4, 3, 3}});
  try {
    graph.add("features.0.0", kernels::Conv2d{}, {x, weight(graph, "w", {8, 5, 1, 1})});
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("features.0.0"), std::string::npos) << error.what();
  }
}

TEST(Graph, RefusesTwoWeightsOfOneName) {
  Graph graph;
  weight(graph, "w", {1});
  EXPECT_THROW(weight(graph, "w", {2}), Error);
}

TEST(Graph, CountsParametersButNotBuffers) {
  Graph graph;
  graph.parameter("w", {DType::f32, {3, 4}});
  graph.buffer("running_mean", {DType::f32, {5}});
  EXPECT_EQ(graph.parameter_elements(), 12);
  EXPECT_EQ(graph.weights().size(), 2u);
}

TEST(Rewrite, AFusedNodeKeepsTheNodesThatItStandsFor) {
  Graph plain;
  const ValueId x = plain.input("x", {DType::f32, {2, 8, 5, 5}});
  const ValueId first = plain.add("b.0", kernels::Conv2d{}, {x, weight(plain, "b.0.weight", {8, 8, 1, 1})});
  plain.output(plain.add("sum", kernels::Binary{}, {x, first}));

  Rewrite rewrite(plain);
  const std::vector<ValueId> inputs = {x, plain.nodes()[0].inputs[1], x};
  rewrite.fuse("b.0", kernels::Conv2d{.has_residual = true}, inputs, {&plain.nodes()[0], &plain.nodes()[1]});
  const Graph fused = rewrite.finish();
  expect_same_answers(plain, fused);
  ASSERT_EQ(fused.nodes().size(), 1u);
  const Graph copied = set_compute(fused, DType::f32);
  for (const Graph* graph : {&fused, &copied}) {
    const auto& unfused = graph->nodes()[0].unfused;
    ASSERT_NE(unfused, nullptr);
    ASSERT_EQ(unfused->nodes().size(), 2u);
    ASSERT_EQ(unfused->inputs().size(), 2u) << "one an input that is not a weight";
    EXPECT_EQ(unfused->outputs().size(), 1u);
    EXPECT_TRUE(unfused->value(unfused->nodes()[0].inputs[1]).known());
  }
}

TEST(SetCompute, ChangesTheOpsThatHaveTheChoiceAndTheirAnswersALittle) {
  const Graph before = optimise(residual_block()), after = set_compute(before, DType::bf16);
  for (const Node& node : after.nodes()) EXPECT_EQ(node.op.compute(), DType::bf16) << node.name;
  const Tensor x = random_tensor(before.type(before.inputs().front()).shape, 42);
  const double difference = test::relative_difference(evaluate(after, x), evaluate(before, x));
  EXPECT_GT(difference, 1e-5) << "nothing was rounded";
  EXPECT_LT(difference, 2e-2);
}

TEST(SetAttention, ReachesEveryAttentionAndNothingElse) {
  Graph graph;
  ValueId x = graph.input("qkv", {DType::f32, {1, 5, 24}});
  x = graph.add("attn", kernels::Attention{.heads = 2}, {x});
  graph.output(graph.add("act", kernels::Activation{ActivationKind::gelu}, {x}));
  const Graph after = set_attention(graph, kernels::Attention::Algorithm::flash);
  ASSERT_EQ(after.nodes().size(), 2u);
  const auto* attention = after.nodes()[0].op.as<kernels::Attention>();
  EXPECT_EQ(attention->algorithm, kernels::Attention::Algorithm::flash);
  EXPECT_EQ(attention->heads, 2);
  EXPECT_EQ(after.nodes()[1].op.as<kernels::Activation>()->kind, ActivationKind::gelu);
}

}  // namespace
}  // namespace edgelab::graph
