#include <gtest/gtest.h>

#include "graph/passes/passes.hpp"
#include "kernels/activation/activation.hpp"
#include "kernels/attention/attention.hpp"
#include "kernels/conv2d/conv2d.hpp"
#include "kernels/layer_norm/layer_norm.hpp"
#include "kernels/layer_norm_linear/layer_norm_linear.hpp"
#include "kernels/linear/linear.hpp"
#include "kernels/mlp/mlp.hpp"
#include "kernels/patch_embed/patch_embed.hpp"
#include "kernels/tokens/tokens.hpp"
#include "models/vision_transformer.hpp"
#include "evaluate.hpp"
#include "support/random_tensor.hpp"

namespace edgelab::graph {
namespace {

using test::random_tensor;
using testing::evaluate;
using testing::expect_same_answers;

models::VisionTransformerSettings small_settings() {
  models::VisionTransformerSettings settings;
  settings.img_size = 32;
  settings.patch_size = 8;
  settings.embed_dim = 24;
  settings.depth = 2;
  settings.num_heads = 3;
  settings.classes = 10;
  return settings;
}

Graph bound(const models::VisionTransformerSettings& settings, std::int64_t batch) {
  Graph graph = models::vision_transformer(settings, batch);
  for (const ValueId id : graph.weights()) graph.bind(id, random_tensor(graph.type(id).shape, stream_key(3, graph.value(id).name), 0.2f, 0.05f));
  return graph;
}

template <class Settings> int count(const Graph& graph) {
  int found = 0;
  for (const Node& node : graph.nodes()) found += node.op.as<Settings>() != nullptr ? 1 : 0;
  return found;
}

TEST(TransformerPasses, MakeFourNodesOfABlockAndKeepTheAnswers) {
  const Graph before = bound(small_settings(), 2);
  const Graph after = optimise(before);
  // Patches; two blocks of normalised QKV, attention, projection and MLP; the selected token on its way; the head.
  EXPECT_EQ(count<kernels::PatchEmbed>(after), 1);
  EXPECT_EQ(count<kernels::Mlp>(after), 2);
  EXPECT_EQ(count<kernels::LayerNormLinear>(after), 3);
  EXPECT_EQ(count<kernels::Linear>(after), 2);
  EXPECT_EQ(count<kernels::Attention>(after), 2);
  EXPECT_EQ(after.nodes().size(), 12u) << after.text();
  expect_same_answers(before, after);
}

TEST(TransformerPasses, KeepTheAnswersOfADistilledModelAndOneWithLayerScale) {
  models::VisionTransformerSettings settings = small_settings();
  settings.distillation_token = true;
  const Graph distilled = bound(settings, 1);
  expect_same_answers(distilled, optimise(distilled));
  settings = small_settings();
  settings.layer_scale = true;
  settings.class_token_position = false;
  const Graph third = bound(settings, 3);
  const Graph fused = optimise(third);
  EXPECT_EQ(count<kernels::PatchEmbed>(fused), 1) << fused.text();
  EXPECT_EQ(count<kernels::Mlp>(fused), 2) << fused.text();
  expect_same_answers(third, fused);
}

TEST(TransformerPasses, KeepWhatAFusedNodeStandsFor) {
  const Graph after = optimise(bound(small_settings(), 2));
  for (const Node& node : after.nodes()) {
    if (node.op.as<kernels::Mlp>() == nullptr && node.op.as<kernels::LayerNormLinear>() == nullptr && node.op.as<kernels::PatchEmbed>() == nullptr) continue;
    ASSERT_NE(node.unfused, nullptr) << node.name;
    const Tensor x = random_tensor(after.type(node.inputs[0]).shape, 4);
    std::vector<Tensor> inputs = {x};
    for (std::size_t i = 1; i < node.inputs.size(); ++i) inputs.push_back(after.value(node.inputs[i]).data);
    EXPECT_LE(test::relative_difference(kernels::evaluate_reference(node.op, inputs).front(), evaluate(*node.unfused, x)), 1e-5) << node.name;
  }
}

TEST(SelectEarly, LeavesAttentionWithAllTokensAndTheRestOfTheLastBlockWithOne) {
  const Graph after = optimise(bound(small_settings(), 2));
  const Node* last_mlp = nullptr;
  for (const Node& node : after.nodes()) {
    if (node.op.as<kernels::Mlp>() != nullptr) last_mlp = &node;
    if (node.op.as<kernels::Attention>() != nullptr) {
      EXPECT_EQ(after.type(node.outputs[0]).shape, (Shape{2, 17, 24}));
    }
  }
  ASSERT_NE(last_mlp, nullptr);
  EXPECT_EQ(after.type(last_mlp->outputs[0]).shape, (Shape{2, 24}));
}

TEST(SelectEarly, LeavesANodeWithOtherReadersWhereItIs) {
  Graph graph;
  const ValueId x = graph.input("x", {DType::f32, {2, 3, 4}});
  const ValueId y = graph.add("act", kernels::Activation{kernels::ActivationKind::gelu}, {x});
  graph.output(graph.add("select", kernels::SelectToken{1}, {y}));
  graph.output(y);
  const Graph after = select_early(graph);
  EXPECT_NE(after.nodes()[0].op.as<kernels::Activation>(), nullptr) << after.text();
  EXPECT_EQ(after.nodes().size(), 2u);
}

TEST(FuseMlp, LeavesAResidualThatIsNotItsOwnInputAlone) {
  Graph graph;
  const auto weight = [&](const char* name, Shape shape) { return graph.parameter(name, {DType::f32, shape}, random_tensor(shape, stream_key(1, name), 0.3f)); };
  const ValueId x = graph.input("x", {DType::f32, {2, 5, 8}}), other = graph.input("other", {DType::f32, {2, 5, 8}});
  ValueId y = graph.add("norm", kernels::LayerNorm{}, {x, weight("g", {8}), weight("s", {8})});
  y = graph.add("up", kernels::Linear{.has_bias = true, .activation = kernels::ActivationKind::gelu}, {y, weight("u", {16, 8}), weight("ub", {16})});
  graph.output(graph.add("down", kernels::Linear{.has_bias = true, .has_residual = true}, {y, weight("d", {8, 16}), weight("db", {8}), other}));
  EXPECT_EQ(count<kernels::Mlp>(fuse_mlp(graph)), 0);
}

TEST(FusePatchEmbed, LeavesAConvolutionWhosePatchesOverlapAlone) {
  Graph graph;
  const ValueId x = graph.input("x", {DType::f32, {1, 3, 8, 8}});
  const ValueId w = graph.parameter("w", {DType::f32, {4, 3, 4, 4}}, random_tensor({4, 3, 4, 4}, 1));
  graph.output(graph.add("tokens", kernels::ToTokens{}, {graph.add("conv", kernels::Conv2d{.stride = 2}, {x, w})}));
  EXPECT_EQ(count<kernels::PatchEmbed>(fuse_patch_embed(graph)), 0);
}

TEST(NarrowValues, GivesAttentionBf16WhereItRoundsAnyway) {
  const Graph fused = set_compute(optimise(bound(small_settings(), 2)), DType::bf16);
  const Graph after = narrow_values(fused);
  for (const Node& node : after.nodes()) {
    const bool inner = node.name.ends_with(".qkv") || node.name.ends_with(".attn") || (node.name == "pool.cls" && after.type(node.inputs[0]).dtype == DType::bf16);
    EXPECT_EQ(after.type(node.outputs[0]).dtype, inner ? DType::bf16 : DType::f32) << node.name;
  }
  const Tensor x = random_tensor(fused.type(fused.inputs().front()).shape, 42);
  EXPECT_LE(test::relative_difference(evaluate(after, x), evaluate(fused, x)), 0.02);
  // In fp32 nothing changes.
  const Graph fp32 = optimise(bound(small_settings(), 2));
  EXPECT_EQ(narrow_values(fp32).text(), fp32.text());
}

}  // namespace
}  // namespace edgelab::graph
