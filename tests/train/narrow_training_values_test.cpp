#include <gtest/gtest.h>

#include "differentiated.hpp"
#include "golden.hpp"
#include "graph/passes/passes.hpp"

namespace edgelab::train {
namespace {

using graph::Graph;
using testing::expect_alike;
using testing::outputs_of;
using testing::transformer;
using testing::with_gradients;

bool travels_as_bf16(const Graph& graph, const std::string& op, const std::string& name) {
  for (const graph::Node& node : graph.nodes()) {
    if (node.op.name() == op && node.name.ends_with(name)) return graph.type(node.outputs[0]).dtype == DType::bf16;
  }
  ADD_FAILURE() << "no " << op << " of the name " << name;
  return false;
}

TEST(NarrowTrainingValues, HalvesWhatEveryReaderRoundsAndKeepsTheGradients) {
  int seen = 0;
  for (const auto& item : testing::golden("gradients.json")) {
    if (!transformer(item)) continue;
    ++seen;
    for (const Recompute recompute : {Recompute::nothing, Recompute::cheap, Recompute::blocks}) {
      const Graph before = with_gradients(item, DType::bf16, recompute), after = graph::narrow_training_values(before);
      for (const char* norm : {"blocks.0.norm1", "blocks.0.norm2"}) EXPECT_TRUE(travels_as_bf16(after, "layer_norm", norm));
      EXPECT_TRUE(travels_as_bf16(after, "activation", "blocks.0.mlp.act"));
      EXPECT_TRUE(travels_as_bf16(after, "linear", "blocks.0.attn.qkv"));
      EXPECT_TRUE(travels_as_bf16(after, "attention", "blocks.0.attn"));
      // What gradients of norms, sums and activations read stays as it is.
      EXPECT_FALSE(travels_as_bf16(after, "linear", "blocks.0.mlp.fc1"));
      EXPECT_FALSE(travels_as_bf16(after, "linear", "blocks.0.attn.proj"));
      expect_alike(outputs_of(after, 1), outputs_of(before, 1), 0.02, item["model"].dump());
    }
  }
  EXPECT_GT(seen, 0);
}

TEST(NarrowTrainingValues, ChangesNothingInFp32OrInConvolutions) {
  for (const auto& item : testing::golden("gradients.json")) {
    const DType compute = transformer(item) ? DType::f32 : DType::bf16;
    const Graph before = with_gradients(item, compute, Recompute::nothing);
    EXPECT_EQ(graph::narrow_training_values(before).text(), before.text());
  }
}

}  // namespace
}  // namespace edgelab::train
