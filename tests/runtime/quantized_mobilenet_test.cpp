// MobileNetV2 in integers: fused blocks beside the plain references of its single layers.
#include <gtest/gtest.h>

#include <cstring>

#include "answer.hpp"
#include "graph/passes/rewrite.hpp"
#include "kernels/pool/quantized_average_pool.hpp"
#include "kernels/quantized_inverted_residual/quantized_inverted_residual.hpp"
#include "models/mobilenet_v2.hpp"
#include "models/random_weights.hpp"
#include "runtime/executable.hpp"
#include "support/made_up_grids.hpp"

namespace edgelab {
namespace {

using graph::Graph;
using graph::Node;
using runtime::testing::answer;

Graph model(std::int64_t batch) {
  Graph graph = models::mobilenet_v2({.classes = 20, .input_size = 64, .width_mult = 0.5}, batch);
  models::bind_random(graph, 3);
  return graph;
}

// Up to the pooled features: everything in integers.
Graph features(const Graph& graph) {
  std::vector<const Node*> nodes;
  for (const Node& node : graph.nodes()) {
    nodes.push_back(&node);
    if (node.op.as<kernels::QuantizedAveragePool>() != nullptr) return graph::extract(graph, graph.inputs(), nodes);
  }
  throw std::runtime_error("the images are not pooled as bytes");
}

TEST(QuantizedMobileNet, HasTheBitsOfItsUnfusedReferences) {
  for (const std::int64_t batch : {1, 3}) {
    const Graph eager = model(batch), layers = test::layers_of(eager);
    const graph::Quantization grids = test::made_up_grids(test::layers_of(model(1)));
    const Tensor want = answer(features(graph::quantize_convolutions(layers, grids)), 1, {"reference"});
    const Graph fused = features(graph::optimise_quantized(eager, grids));
    for (const int threads : {1, 2, 3}) {
      const Tensor got = answer(fused, threads);
      EXPECT_EQ(std::memcmp(got.data(), want.data(), want.bytes()), 0) << batch << ", threads " << threads;
    }
  }
}

TEST(QuantizedMobileNet, IsNearTheModelInFloats) {
  const Graph eager = model(2);
  const graph::Quantization grids = test::made_up_grids(test::layers_of(model(1)));
  const double error = test::relative_difference(answer(graph::optimise_quantized(eager, grids), 2), answer(eager, 1));
  EXPECT_LT(error, 1.0);
  EXPECT_GT(error, 1e-4) << "nothing was rounded";
}

TEST(QuantizedMobileNet, SaysThatItsBlocksComputeInInt8) {
  const Graph eager = model(1);
  runtime::PlanOptions options;
  options.threads = 2;
  const auto plan = runtime::Plan::compile(graph::optimise_quantized(eager, test::made_up_grids(test::layers_of(eager))), options);
  std::int64_t whole = 0, all = 0;
  for (const runtime::Plan::Step& step : plan->steps()) {
    EXPECT_EQ(step.info.requested, step.info.effective) << step.info.name;
    if (step.info.effective == DType::s8) whole += step.info.flop;
    all += step.info.flop;
  }
  EXPECT_GT(static_cast<double>(whole), 0.9 * static_cast<double>(all));
}

// Whatever layer stays in floating point, its neighbours are converted for it.
TEST(QuantizedMobileNet, KeepsLayersWithoutAnEntryInFloats) {
  const Graph eager = model(1);
  const graph::Quantization all = test::made_up_grids(test::layers_of(eager));
  const Tensor want = answer(eager, 1);
  for (const char* layer : {"features.0.0", "features.1.conv.0.0", "features.4.conv.1.0", "features.5.conv.2", "features.18.0"}) {
    graph::Quantization mixed = all;
    ASSERT_EQ(mixed.layers.erase(layer), 1u) << layer;
    EXPECT_LT(test::relative_difference(answer(graph::optimise_quantized(eager, mixed), 2), want), 1.0) << layer;
  }
}

}  // namespace
}  // namespace edgelab
