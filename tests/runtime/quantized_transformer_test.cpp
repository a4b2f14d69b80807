// A whole vision transformer in integers, through the passes and the plan.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "answer.hpp"
#include "graph/passes/passes.hpp"
#include "kernels/quantized_attention/quantized_attention.hpp"
#include "kernels/quantized_linear/quantized_linear.hpp"
#include "kernels/quantized_mlp/quantized_mlp.hpp"
#include "kernels/quantized_patch_embed/quantized_patch_embed.hpp"
#include "runtime/executable.hpp"
#include "small_transformer.hpp"
#include "support/made_up_grids.hpp"

namespace edgelab::runtime {
namespace {

using graph::Graph;
using graph::ValueId;
using testing::answer;
using testing::image_of;
using testing::small_transformer;

// Grids from the least to the largest that one run shows: each value made an output once.
graph::Quantization calibrated(const Graph& layers, int weight_bits = 8) {
  Graph watched = layers;
  std::map<ValueId, std::size_t> place;
  for (const graph::Node& node : layers.nodes()) {
    if (place.try_emplace(node.outputs[0], watched.outputs().size()).second) watched.output(node.outputs[0]);
  }
  PlanOptions options;
  Executable executable(Plan::compile(watched, options));
  std::ranges::copy(image_of(layers).as<float>(), executable.input().as<float>().begin());
  executable.run();
  const auto grid_of = [&](ValueId id) {
    const Tensor values = place.contains(id) ? executable.output(place.at(id)) : executable.input();
    const auto [low, high] = std::ranges::minmax_element(values.as<float>());
    return test::grid_over(*low, *high);
  };
  return test::quantization_of(layers, grid_of, weight_bits);
}

double signal_to_noise_db(const Tensor& got, const Tensor& want) {
  double signal = 0, noise = 0;
  for (std::size_t i = 0; i < want.as<float>().size(); ++i) {
    const double exact = static_cast<double>(want.as<float>()[i]);
    signal += exact * exact;
    noise += std::pow(static_cast<double>(got.as<float>()[i]) - exact, 2);
  }
  return 10 * std::log10(signal / noise);
}

template <class Settings> int count(const Graph& graph) {
  return static_cast<int>(std::ranges::count_if(graph.nodes(), [](const graph::Node& node) { return node.op.as<Settings>() != nullptr; }));
}

TEST(QuantizedTransformer, GivesTheSameBitsFusedAndNodeByNode) {
  for (const bool distilled : {false, true}) {
    for (const std::int64_t batch : {1, 3}) {
      const Graph layers = test::layers_of(small_transformer(distilled, batch));
      const Graph unfused = graph::quantize_transformer(layers, calibrated(layers)), fused = graph::fuse_quantized_transformer(unfused);
      EXPECT_GT(count<kernels::QuantizedMlp>(fused), 0);
      const Tensor want = answer(unfused, 1);
      for (const int threads : {1, 2, 3}) {
        const Tensor got = answer(fused, threads);
        EXPECT_EQ(std::memcmp(got.data(), want.data(), want.bytes()), 0)
            << "distilled " << distilled << ", batch " << batch << ", threads " << threads;
      }
    }
  }
}

TEST(QuantizedTransformer, IsCloseToItsLogitsInFp32) {
  const Graph layers = test::layers_of(small_transformer(false, 2));
  const Tensor want = answer(layers, 1);
  const auto noise = [&](int bits) {
    return signal_to_noise_db(answer(graph::fuse_quantized_transformer(graph::quantize_transformer(layers, calibrated(layers, bits))), 2), want);
  };
  const double eight = noise(8), four = noise(4);
  EXPECT_GT(eight, 25.0);
  EXPECT_LT(eight, 60.0);  // it did compute in integers
  EXPECT_GT(four, 5.0);
  EXPECT_LT(four, eight);
}

// In integers from patch to logits; between the blocks, and where tokens are picked, only what is f32 by design.
TEST(QuantizedTransformer, HasEveryProductInIntegers) {
  const Graph written = small_transformer(false, 1);
  const Graph fused = graph::optimise_quantized(written, calibrated(test::layers_of(written)));
  EXPECT_EQ(count<kernels::QuantizedPatchEmbed>(fused), 1);
  EXPECT_EQ(count<kernels::QuantizedMlp>(fused), 3);
  EXPECT_EQ(count<kernels::QuantizedAttention>(fused), 3);
  EXPECT_EQ(count<kernels::QuantizedLinear>(fused), 7);  // three of queries, keys and values, three projections, the head
  EXPECT_EQ(fused.nodes().size(), 16u) << fused.text();  // and two that pick the class token
  for (const graph::Node& node : fused.nodes()) {
    const bool picks_bytes = node.name == "pool.cls" && fused.type(node.inputs[0]).dtype == DType::u8;
    const bool inner = node.name.ends_with(".qkv") || node.name.ends_with(".attn") || picks_bytes;
    EXPECT_EQ(fused.type(node.outputs[0]).dtype, inner ? DType::u8 : DType::f32) << node.name;
  }
}

TEST(QuantizedTransformer, LeavesLayersWithoutAnEntryInFp32) {
  const Graph layers = test::layers_of(small_transformer(false, 2));
  graph::Quantization some = calibrated(layers);
  some.layers.erase("blocks.0.attn.qkv");
  some.layers.erase("blocks.1.mlp.fc2");
  some.layers.erase("patch_embed.proj");
  some.attentions.erase("blocks.2.attn");
  const Graph fused = graph::fuse_quantized_transformer(graph::quantize_transformer(layers, some));
  EXPECT_EQ(count<kernels::QuantizedPatchEmbed>(fused), 0);
  EXPECT_EQ(count<kernels::QuantizedAttention>(fused), 1);  // the first has no integers to read
  EXPECT_EQ(count<kernels::QuantizedMlp>(fused), 2);
  EXPECT_GT(signal_to_noise_db(answer(fused, 2), answer(layers, 1)), 25.0);
  EXPECT_EQ(graph::quantize_transformer(layers, {}).nodes().size(), graph::fuse_patch_embed(layers).nodes().size());
}

}  // namespace
}  // namespace edgelab::runtime
