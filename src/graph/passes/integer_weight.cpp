#include "graph/passes/integer_weight.hpp"

#include <algorithm>
#include <cmath>

namespace edgelab::graph {

IntegerWeight add_integer_weight(Rewrite& rewrite, ValueId weight, const LayerQuantization& layer) {
  const Value& value = rewrite.from().value(weight);
  const Tensor real = value.data.to_f32();
  const auto channels = static_cast<std::size_t>(real.shape()[0]), each = static_cast<std::size_t>(real.elements()) / channels;
  Tensor numbers(DType::s8, real.shape()), scale(DType::f32, {static_cast<std::int64_t>(channels)});
  const double most = layer.weight_bits == 4 ? 7 : 127;
  for (std::size_t o = 0; o < channels; ++o) scale.as<float>()[o] = layer.weight_scale[layer.weight_scale.size() == 1 ? 0 : o];
  for (std::size_t i = 0; i < channels * each; ++i) {
    const double units = static_cast<double>(real.as<float>()[i]) / static_cast<double>(scale.as<float>()[i / each]);
    numbers.as<std::int8_t>()[i] = static_cast<std::int8_t>(std::clamp(std::nearbyint(units), -most, most));
  }
  Graph& to = rewrite.to();
  return {to.parameter(value.name, {DType::s8, real.shape()}, numbers), to.constant(value.name + ".scale", scale)};
}

}  // namespace edgelab::graph
