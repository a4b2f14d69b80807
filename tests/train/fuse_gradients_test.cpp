#include "train/fuse_gradients.hpp"

#include <gtest/gtest.h>

#include "differentiated.hpp"
#include "golden.hpp"
#include "graph/passes/fusion.hpp"
#include "kernels/activation_backward/activation_backward.hpp"
#include "kernels/binary/binary.hpp"
#include "kernels/layer_norm_backward/layer_norm_backward.hpp"
#include "kernels/linear/linear.hpp"
#include "kernels/linear_backward/linear_backward_data.hpp"

namespace edgelab::train {
namespace {

using graph::Graph;
using graph::Node;

template <class Settings, class Fits> int count(const Graph& graph, const Fits& fits) {
  int found = 0;
  for (const Node& node : graph.nodes()) {
    const auto* op = node.op.as<Settings>();
    if (op != nullptr && fits(*op)) ++found;
  }
  return found;
}

TEST(FuseGradients, ComputesTheSameInFewerNodes) {
  for (const auto& item : testing::golden("gradients.json")) {
    for (const Recompute recompute : {Recompute::nothing, Recompute::cheap, Recompute::blocks}) {
      const Graph before = testing::with_gradients(item, DType::f32, recompute), after = fuse_gradients(before);
      testing::expect_alike(testing::outputs_of(after, 1), testing::outputs_of(before, 1), 1e-4, item["model"].dump());
      EXPECT_EQ(after.nodes().size() < before.nodes().size(), testing::transformer(item));
    }
  }
}

TEST(FuseGradients, FindsWhatABlockOfATransformerHas) {
  for (const auto& item : testing::golden("gradients.json")) {
    if (!testing::transformer(item)) continue;
    const Graph after = fuse_gradients(testing::with_gradients(item, DType::f32, Recompute::nothing));
    const auto all = [](const auto&) { return true; };
    const int blocks = item["model"]["depth"].get<int>();
    EXPECT_EQ(count<kernels::ActivationBackward>(after, all), 0);
    EXPECT_EQ(count<kernels::LinearBackwardData>(after, [](const auto& op) { return op.activation == kernels::ActivationKind::gelu; }), blocks);
    // Both branches of a block begin with a normalisation; the last one of the model begins none.
    EXPECT_EQ(count<kernels::LayerNormBackward>(after, [](const auto& op) { return op.has_addend; }), 2 * blocks);
  }
}

// A gradient that something else reads too has to be there by itself.
TEST(FuseGradients, LeavesAloneWhatIsReadTwice) {
  Graph graph;
  const auto dy = graph.input("dy", {DType::f32, {4, 8}}), z = graph.input("z", {DType::f32, {4, 6}});
  const auto w = graph.parameter("w", {DType::f32, {8, 6}});
  const auto dx = graph.add("linear", kernels::LinearBackwardData{}, {dy, w});
  graph.output(graph.add("act", kernels::ActivationBackward{kernels::ActivationKind::gelu}, {z, dx}));
  graph.output(dx);
  EXPECT_EQ(fuse_gradients(graph).text(), graph.text());
}

}  // namespace
}  // namespace edgelab::train
