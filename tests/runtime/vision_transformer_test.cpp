// A whole vision transformer through the passes and the plan.
#include <gtest/gtest.h>

#include "answer.hpp"
#include "graph/passes/passes.hpp"
#include "runtime/executable.hpp"
#include "small_transformer.hpp"

namespace edgelab::runtime {
namespace {

using graph::Graph;
using testing::answer;
using testing::small_transformer;

TEST(VisionTransformer, GivesTheSameLogitsFusedAsWritten) {
  for (const bool distilled : {false, true}) {
    for (const std::int64_t batch : {1, 3}) {
      const Graph graph = small_transformer(distilled, batch);
      const Tensor expected = answer(graph, 1, {"reference"});
      for (const int threads : {1, 2, 3}) {
        EXPECT_LE(test::relative_difference(answer(graph::optimise(graph), threads), expected), 1e-4) << "batch " << batch << ", threads " << threads;
      }
    }
  }
}

TEST(VisionTransformer, StaysNearItsLogitsInBf16) {
  const Graph fp32 = small_transformer(false, 2), fused = graph::optimise(fp32);
  const Graph bf16 = graph::narrow_values(graph::set_compute(fused, DType::bf16));
  const double difference = test::relative_difference(answer(bf16, 2), answer(fp32, 1, {"reference"}));
  EXPECT_LE(difference, 0.1);
  EXPECT_GT(difference, 1e-5);  // it did compute in bf16
}

// What an inference in one parallel region asks for.
TEST(VisionTransformer, HasOnlyStepsByTheTeam) {
  for (const bool distilled : {false, true}) {
    for (const DType type : {DType::f32, DType::bf16}) {
      const Graph graph = graph::narrow_values(graph::set_compute(graph::optimise(small_transformer(distilled, 2)), type));
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
