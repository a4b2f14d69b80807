#pragma once

#include <algorithm>
#include <cmath>

#include "graph/graph.hpp"
#include "graph/passes/passes.hpp"
#include "graph/quantization.hpp"
#include "kernels/conv2d/conv2d.hpp"
#include "kernels/linear/linear.hpp"
#include "support/random_tensor.hpp"

namespace edgelab::test {

// A model's layers as quantization knows them.
inline graph::Graph layers_of(const graph::Graph& graph) {
  return graph::select_early(graph::fuse_residual(graph::fuse_activation(graph::fold_scale(graph::fold_batch_norm(graph::fold_constants(graph))))));
}

inline graph::Grid grid_of(const Tensor& values) {
  const auto numbers = values.as<float>();
  const auto [low, high] = std::minmax_element(numbers.begin(), numbers.end());
  const float least = std::min(0.0f, *low), most = std::max(0.0f, *high), scale = std::max((most - least) / 255.0f, 1e-6f);
  return {scale, static_cast<std::int32_t>(std::clamp(std::nearbyint(-least / scale), 0.0f, 255.0f))};
}

inline graph::LayerQuantization layer_of(const Tensor& x, const Tensor& weight) {
  graph::LayerQuantization layer{grid_of(x), 8, {}};
  const auto numbers = weight.as<float>();
  const auto channels = static_cast<std::size_t>(weight.shape()[0]), each = numbers.size() / channels;
  for (std::size_t o = 0; o < channels; ++o) {
    float most = 1e-6f;
    for (std::size_t i = 0; i < each; ++i) most = std::max(most, std::abs(numbers[o * each + i]));
    layer.weight_scale.push_back(most / 127.0f);
  }
  return layer;
}

// Grids from the least to the largest number that each layer of `layers` reads when the input is random, by the plain references.
inline graph::Quantization made_up_grids(const graph::Graph& layers) {
  graph::Quantization quantization;
  std::vector<Tensor> values;
  for (const graph::Value& value : layers.values()) values.push_back(value.data);
  const auto at = [&](graph::ValueId id) -> Tensor& { return values[static_cast<std::size_t>(id.index)]; };
  at(layers.inputs().front()) = random_tensor(layers.type(layers.inputs().front()).shape, 42);
  for (const graph::Node& node : layers.nodes()) {
    std::vector<Tensor> inputs;
    for (const graph::ValueId id : node.inputs) inputs.push_back(at(id));
    const bool layer = node.op.as<kernels::Conv2d>() != nullptr || node.op.as<kernels::Linear>() != nullptr;
    if (layer) quantization.layers[node.name] = layer_of(inputs[0], inputs[1]);
    const std::vector<Tensor> outputs = kernels::evaluate_reference(node.op, inputs);
    for (std::size_t i = 0; i < outputs.size(); ++i) at(node.outputs[i]) = outputs[i];
  }
  return quantization;
}

}  // namespace edgelab::test
