// A whole vision transformer through the passes and the plan.
#include <gtest/gtest.h>

#include "answer.hpp"
#include "graph/passes/passes.hpp"
#include "models/vision_transformer.hpp"
#include "runtime/executable.hpp"
#include "support/random_tensor.hpp"

namespace edgelab::runtime {
namespace {

using graph::Graph;
using testing::answer;

Graph bound(bool distilled, std::int64_t batch) {
  models::VisionTransformerSettings settings;
  settings.img_size = 64;
  settings.patch_size = 8;
  settings.embed_dim = 96;
  settings.depth = 3;
  settings.num_heads = 3;
  settings.classes = 70;
  settings.distillation_token = distilled;
  Graph graph = models::vision_transformer(settings, batch);
  for (const graph::ValueId id : graph.weights()) {
    graph.bind(id, test::random_tensor(graph.type(id).shape, stream_key(3, graph.value(id).name), 0.1f, graph.value(id).name.ends_with("norm.weight") ? 1.0f : 0.0f));
  }
  return graph;
}

TEST(VisionTransformer, GivesTheSameLogitsFusedAsWritten) {
  for (const bool distilled : {false, true}) {
    for (const std::int64_t batch : {1, 3}) {
      const Graph graph = bound(distilled, batch);
      const Tensor expected = answer(graph, 1, {"reference"});
      for (const int threads : {1, 2, 3}) {
        EXPECT_LE(test::relative_difference(answer(graph::optimise(graph), threads), expected), 1e-4) << "batch " << batch << ", threads " << threads;
      }
    }
  }
}

TEST(VisionTransformer, StaysNearItsLogitsInBf16) {
  const Graph fp32 = bound(false, 2), fused = graph::optimise(fp32);
  const Graph bf16 = graph::narrow_values(graph::set_compute(fused, DType::bf16));
  const double difference = test::relative_difference(answer(bf16, 2), answer(fp32, 1, {"reference"}));
  EXPECT_LE(difference, 0.1);
  EXPECT_GT(difference, 1e-5);  // it did compute in bf16
}

// What an inference in one parallel region asks for.
TEST(VisionTransformer, HasOnlyStepsByTheTeam) {
  for (const bool distilled : {false, true}) {
    for (const DType type : {DType::f32, DType::bf16}) {
      const Graph graph = graph::narrow_values(graph::set_compute(graph::optimise(bound(distilled, 2)), type));
      PlanOptions options;
      options.threads = 2;
      const auto plan = Plan::compile(graph, options);
      const auto arena = allocate_aligned(plan->arena_bytes());
      for (const Plan::Step& step : plan->steps()) {
        std::vector<const std::byte*> inputs;
        std::vector<std::byte*> outputs;
        for (const Plan::Place& place : step.inputs) inputs.push_back(place.constant.defined() ? place.constant.data() : arena.get() + place.offset);
        for (const Plan::Place& place : step.outputs) outputs.push_back(arena.get() + place.offset);
        EXPECT_TRUE(step.kernel.bind({inputs, outputs, arena.get() + step.scratch}).by_team()) << step.info.name << ": " << step.info.implementation;
      }
    }
  }
}

}  // namespace
}  // namespace edgelab::runtime
