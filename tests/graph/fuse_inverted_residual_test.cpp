#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "evaluate.hpp"
#include "graph/passes/passes.hpp"
#include "kernels/conv2d/conv2d.hpp"
#include "kernels/inverted_residual/inverted_residual.hpp"
#include "models/mobilenet_v2.hpp"
#include "models/random_weights.hpp"

namespace edgelab::graph {
namespace {

using kernels::ActivationKind;
using kernels::Conv2d;
using kernels::InvertedResidual;

struct Builder {
  Graph graph;

  ValueId input(Shape shape) { return graph.input("x", {DType::f32, shape}); }
  ValueId conv(const std::string& name, const Conv2d& settings, ValueId x, std::int64_t out, std::int64_t kernel, std::vector<ValueId> more = {}) {
    const auto weight = [&](const std::string& what, Shape shape) {
      return graph.parameter(name + what, {DType::f32, shape}, test::random_tensor(shape, stream_key(3, name + what), 0.3f));
    };
    std::vector<ValueId> inputs = {x, weight(".weight", {out, graph.type(x).shape[1] / settings.groups, kernel, kernel}), weight(".bias", {out})};
    inputs.insert(inputs.end(), more.begin(), more.end());
    return graph.add(name, settings, inputs);
  }
  ValueId expand(ValueId x, std::int64_t hidden, Conv2d settings = {.has_bias = true, .activation = ActivationKind::relu6}) {
    return conv("block.conv.0.0", settings, x, hidden, 1);
  }
  ValueId depthwise(ValueId x, int stride = 1, ActivationKind activation = ActivationKind::relu6, int kernel = 3) {
    const std::int64_t channels = graph.type(x).shape[1];
    return conv("block.conv.1.0", {stride, kernel / 2, static_cast<int>(channels), true, false, activation}, x, channels, kernel);
  }
  ValueId project(ValueId x, std::int64_t out) { return conv("block.conv.2", {.has_bias = true}, x, out, 1); }
  ValueId project_and_add(ValueId x, ValueId residual) {
    return conv("block.conv.2", {.has_bias = true, .has_residual = true}, x, graph.type(residual).shape[1], 1, {residual});
  }
  Graph done(ValueId y) {
    graph.output(y);
    return std::move(graph);
  }
};

int fused_nodes(const Graph& graph) {
  return static_cast<int>(std::count_if(graph.nodes().begin(), graph.nodes().end(), [](const Node& node) { return node.op.as<InvertedResidual>() != nullptr; }));
}

TEST(FuseInvertedResidual, ABlockWithAllItsPartsBecomesOneNodeThatKeepsThem) {
  Builder b;
  const ValueId x = b.input({2, 8, 5, 6});
  const Graph before = b.done(b.project_and_add(b.depthwise(b.expand(x, 24)), x));
  const Graph after = fuse_inverted_residual(before);
  ASSERT_EQ(after.nodes().size(), 1u);
  const Node& node = after.nodes()[0];
  ASSERT_NE(node.op.as<InvertedResidual>(), nullptr);
  EXPECT_TRUE(node.op.as<InvertedResidual>()->has_residual);
  EXPECT_EQ(node.name, "block.conv");
  ASSERT_NE(node.unfused, nullptr);
  EXPECT_EQ(node.unfused->nodes().size(), 3u);
  EXPECT_EQ(after.flop(), before.flop());
  testing::expect_same_answers(before, after);
  testing::expect_same_answers(before, *node.unfused);
}

TEST(FuseInvertedResidual, ABlockWithoutExpansionOrWithAStrideIsOneTooWithTheSameAnswers) {
  for (const int stride : {1, 2}) {
    for (const bool expand : {false, true}) {
      Builder b;
      const ValueId x = b.input({1, 6, 7, 4});
      const Graph before = b.done(b.project(b.depthwise(expand ? b.expand(x, 18) : x, stride), 10));
      const Graph after = fuse_inverted_residual(before);
      EXPECT_EQ(fused_nodes(after), 1);
      EXPECT_EQ(after.nodes().size(), 1u);
      testing::expect_same_answers(before, after);
    }
  }
}

TEST(FuseInvertedResidual, WhatIsNotQuiteTheBlockStaysAsItIs) {
  const auto fused = [](const std::function<ValueId(Builder&, ValueId)>& build) {
    Builder b;
    const ValueId x = b.input({1, 8, 6, 6});
    const ValueId y = build(b, x);
    return fused_nodes(fuse_inverted_residual(b.done(y)));
  };
  EXPECT_EQ(fused([](Builder& b, ValueId x) { return b.project(b.depthwise(x), 8); }), 1);
  EXPECT_EQ(fused([](Builder& b, ValueId x) { return b.project(b.depthwise(x, 1, ActivationKind::relu), 8); }), 0);
  EXPECT_EQ(fused([](Builder& b, ValueId x) { return b.project(b.depthwise(x, 3), 8); }), 0);
  EXPECT_EQ(fused([](Builder& b, ValueId x) { return b.project(b.depthwise(x, 1, ActivationKind::relu6, 5), 8); }), 0);
  EXPECT_EQ(fused([](Builder& b, ValueId x) { return b.depthwise(x); }), 0);
  // A residual from elsewhere, and a depthwise result that is read twice.
  EXPECT_EQ(fused([](Builder& b, ValueId x) {
              const ValueId first = b.expand(x, 8);
              return b.project_and_add(b.depthwise(first), x);
            }), 1);
  EXPECT_EQ(fused([](Builder& b, ValueId x) {
              const ValueId d = b.depthwise(x);
              return b.project_and_add(d, d);
            }), 0);
  // An expansion that is not one leaves a block without expansion behind it.
  Builder b;
  const ValueId x = b.input({1, 8, 6, 6});
  const Graph before = b.done(b.project(b.depthwise(b.expand(x, 8, {.has_bias = true, .activation = ActivationKind::relu})), 8));
  const Graph after = fuse_inverted_residual(before);
  EXPECT_EQ(after.nodes().size(), 2u);
  EXPECT_FALSE(after.nodes()[1].op.as<InvertedResidual>()->expand);
  testing::expect_same_answers(before, after);
}

TEST(FuseInvertedResidual, MobileNetV2HasSeventeenAndItsFirstConvolutionIsInTheFirst) {
  Graph graph = models::mobilenet_v2({.classes = 10, .input_size = 32}, 1);
  models::bind_random(graph, 1, 1);
  const Graph before = fuse_residual(fuse_activation(fold_batch_norm(graph))), after = fuse_inverted_residual(before);
  EXPECT_EQ(fused_nodes(after), 17);
  EXPECT_EQ(after.nodes().size(), before.nodes().size() - 17 * 2);
  testing::expect_same_answers(before, after);
}

}  // namespace
}  // namespace edgelab::graph
