#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "graph/passes/passes.hpp"
#include "kernels/attention/attention.hpp"
#include "kernels/conv2d/conv2d.hpp"
#include "kernels/linear/linear.hpp"
#include "support/random_tensor.hpp"

namespace edgelab::test {

// What calibration would leave behind, for tests and benchmarks of what comes after it.

// The grid from the least to the largest of some numbers, zero among them.
inline graph::Grid grid_over(float low, float high) {
  low = std::min(low, 0.0f), high = std::max(high, low + 1e-3f);
  const float scale = (high - low) / 255.0f;
  return {scale, static_cast<std::int32_t>(std::lround(-low / scale))};
}

// A graph whose layers stand by themselves, as quantization takes it.
inline graph::Graph layers_of(const graph::Graph& graph) {
  using namespace graph;
  return select_early(fuse_residual(fuse_activation(fold_scale(fold_batch_norm(fold_constants(graph))))));
}

// Every linear layer, patch embedding and attention in integers: activations on `grid_of` what they read, the largest number of
// each output channel's weights at the end of its grid.
inline graph::Quantization quantization_of(const graph::Graph& layers, const std::function<graph::Grid(graph::ValueId)>& grid_of, int weight_bits = 8) {
  graph::Quantization quantization;
  for (const graph::Node& node : layers.nodes()) {
    if (node.op.as<kernels::Attention>() != nullptr) {
      const graph::Grid grid = grid_of(node.inputs[0]);
      quantization.attentions[node.name] = {grid, grid, grid};
    }
    if (node.op.as<kernels::Linear>() == nullptr && node.op.as<kernels::Conv2d>() == nullptr) continue;
    const graph::Value& weight = layers.value(node.inputs[1]);
    const auto numbers = weight.data.as<float>();
    const auto channels = static_cast<std::size_t>(weight.type.shape[0]), each = numbers.size() / channels;
    graph::LayerQuantization layer{grid_of(node.inputs[0]), weight_bits, {}};
    for (std::size_t o = 0; o < channels; ++o) {
      float most = 1e-6f;
      for (const float number : numbers.subspan(o * each, each)) most = std::max(most, std::abs(number));
      layer.weight_scale.push_back(most / (weight_bits == 4 ? 7.0f : 127.0f));
    }
    quantization.layers[weight.name.substr(0, weight.name.size() - std::string(".weight").size())] = layer;
  }
  return quantization;
}

// Grids over what each layer reads when the input is random, by the plain references.
inline graph::Quantization made_up_grids(const graph::Graph& layers) {
  std::vector<Tensor> values;
  for (const graph::Value& value : layers.values()) values.push_back(value.data);
  const auto at = [&](graph::ValueId id) -> Tensor& { return values[static_cast<std::size_t>(id.index)]; };
  at(layers.inputs().front()) = random_tensor(layers.type(layers.inputs().front()).shape, 42);
  for (const graph::Node& node : layers.nodes()) {
    std::vector<Tensor> inputs;
    for (const graph::ValueId id : node.inputs) inputs.push_back(at(id));
    const std::vector<Tensor> outputs = kernels::evaluate_reference(node.op, inputs);
    for (std::size_t i = 0; i < outputs.size(); ++i) at(node.outputs[i]) = outputs[i];
  }
  return quantization_of(layers, [&](graph::ValueId id) {
    const auto numbers = at(id).as<float>();
    const auto [low, high] = std::minmax_element(numbers.begin(), numbers.end());
    return grid_over(*low, *high);
  });
}

}  // namespace edgelab::test
