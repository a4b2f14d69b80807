// What the layers of the labs' models are computed by: on a Raspberry Pi oneDNN has its plain reference alone for every one of them.
#include <gtest/gtest.h>

#include "graph/passes/passes.hpp"
#include "models/mobilenet_v2.hpp"
#include "models/random_weights.hpp"
#include "models/vision_transformer.hpp"
#include "runtime/plan.hpp"
#include "support/made_up_grids.hpp"

namespace edgelab::runtime {
namespace {

using graph::Graph;

// No measuring: the first implementation that accepts, as where no choice is known yet.
void expect_own_kernels(const Graph& graph, const std::string& what) {
  PlanOptions options;
  options.threads = 4;
  const std::shared_ptr<const Plan> plan = Plan::compile(graph, options);
  for (const Plan::Step& step : plan->steps()) {
    const std::string& by = step.info.implementation;
    EXPECT_FALSE(by.starts_with("onednn") || by.starts_with("reference"))
        << what << ": " << step.info.name << ", " << step.info.op << ", by " << by;
  }
}

// Which grids is all the same.
graph::Quantization grids(const Graph& graph) {
  return test::quantization_of(test::layers_of(graph), [](graph::ValueId) { return test::grid_over(-4.0f, 4.0f); });
}

Graph mobilenet(double width, int size) {
  Graph graph = models::mobilenet_v2({.classes = 10, .input_size = size, .width_mult = width}, 1);
  models::bind_random(graph, 3);
  return graph;
}

Graph transformer(std::int64_t size, std::int64_t patch, std::int64_t width, std::int64_t heads) {
  models::VisionTransformerSettings settings;
  settings.img_size = size;
  settings.patch_size = patch;
  settings.embed_dim = width;
  settings.depth = 2;  // of blocks that are alike
  settings.num_heads = heads;
  settings.classes = 10;
  Graph graph = models::vision_transformer(settings, 1);
  models::bind_random(graph, 3);
  return graph;
}

TEST(LabModels, MobileNetV2RunsOnOurOwnKernels) {
  for (const double width : {1.0, 0.35}) {
    const Graph graph = mobilenet(width, 96);
    expect_own_kernels(graph::optimise(graph), "fp32");
    expect_own_kernels(graph::optimise_quantized(graph, grids(graph)), "int8");
  }
}

TEST(LabModels, TransformersRunOnOurOwnKernels) {
  for (const Graph& graph : {transformer(224, 16, 192, 3), transformer(32, 4, 128, 4)}) {
    expect_own_kernels(graph::optimise(graph), "fp32");
    expect_own_kernels(graph::narrow_values(graph::set_compute(graph::optimise(graph), DType::bf16)), "bf16");
    expect_own_kernels(graph::optimise_quantized(graph, grids(graph)), "int8");
  }
}

}  // namespace
}  // namespace edgelab::runtime
