// The fused plan of MobileNetV2 beside the unfused one: same logits.
#include <gtest/gtest.h>

#include "answer.hpp"
#include "graph/passes/passes.hpp"
#include "kernels/inverted_residual/inverted_residual.hpp"
#include "models/mobilenet_v2.hpp"
#include "models/random_weights.hpp"
#include "runtime/executable.hpp"
#include "support/random_tensor.hpp"

namespace edgelab {
namespace {

using graph::Graph;
using runtime::testing::answer;

Graph model(int input_size, double width, std::int64_t batch) {
  Graph graph = models::mobilenet_v2({.classes = 20, .input_size = input_size, .width_mult = width}, batch);
  models::bind_random(graph, 3);
  return graph;
}

TEST(FusedMobileNet, HasTheUnfusedModelsLogitsWithinATenThousandthOfTheirDeviation) {
  struct Case {
    int size;
    double width;
    std::int64_t batch;
  };
  for (const Case& c : {Case{224, 1.0, 1}, Case{96, 0.35, 3}, Case{50, 1.4, 2}}) {
    const Graph eager = model(c.size, c.width, c.batch);
    const Tensor want = answer(eager, 1);
    for (const int threads : {1, 2, 3}) {
      EXPECT_LE(test::relative_difference(answer(graph::optimise(eager), threads), want), 1e-4) << c.size << ", " << c.batch << ", threads " << threads;
    }
  }
}

// The fused one rounds fewer operands: it can only be the nearer one.
TEST(FusedMobileNet, InBf16IsNoFurtherFromFp32ThanTheUnfusedModelInBf16) {
  const Graph eager = model(96, 1.0, 2), fused = graph::optimise(eager);
  const Tensor exact = answer(eager, 1);
  const double unfused_error = test::relative_difference(answer(graph::set_compute(eager, DType::bf16), 1, {"reference"}), exact);
  const double fused_error = test::relative_difference(answer(graph::set_compute(fused, DType::bf16), 2), exact);
  EXPECT_GT(fused_error, 1e-4) << "nothing was rounded";
  EXPECT_LE(fused_error, 1.2 * unfused_error);
}

TEST(FusedMobileNet, RunsAsStepsByTheTeamFromTheImageToTheLogits) {
  runtime::PlanOptions options;
  options.threads = 2;
  const auto plan = runtime::Plan::compile(graph::optimise(model(224, 1.0, 1)), options);
  ASSERT_EQ(plan->steps().size(), 20u);  // 17 blocks, the last convolution, pooling, classifier: no reorders
  for (const auto& step : plan->steps()) EXPECT_EQ(step.info.implementation.substr(0, 4), "tile") << step.info.name;
}

}  // namespace
}  // namespace edgelab
