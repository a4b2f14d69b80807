#include "kernels/quantized_attention/quantized_attention.hpp"

#include <cmath>
#include <numbers>

#include "core/error.hpp"

namespace edgelab::kernels {

double QuantizedAttention::effective_scale(std::int64_t width) const {
  return scale != 0.0 ? scale : 1.0 / std::sqrt(static_cast<double>(width) / heads);
}

float QuantizedAttention::factor(std::int64_t width) const {
  return static_cast<float>(effective_scale(width) * static_cast<double>(queries.scale) * static_cast<double>(keys.scale) * std::numbers::log2e);
}

std::vector<TensorType> QuantizedAttention::infer(std::span<const TensorType> inputs) const {
  require_inputs(kName, inputs, 1, 1);
  require_rank(kName, inputs[0], 3, "the input");
  const Shape& qkv = inputs[0].shape;
  if (inputs[0].dtype != DType::u8 || heads < 1 || qkv[2] % (3 * heads) != 0 || scale < 0) {
    throw Error(ErrorKind::data, "quantized_attention: the input or the settings don't fit")
        .got(std::string(name_of(inputs[0].dtype)) + " " + qkv.text() + ", heads " + std::to_string(heads) + ", scale " + std::to_string(scale))
        .expected("u8, a width that is a multiple of 3 x heads, and a scale of at least 0");
  }
  if (first_query < 0 || queries_here < 0 || first_query + rows_of(qkv[1]) > qkv[1]) {
    throw Error(ErrorKind::data, "quantized_attention: there are no such queries")
        .got(std::to_string(queries_here) + " from " + std::to_string(first_query) + " on")
        .expected("some of " + std::to_string(qkv[1]));
  }
  return {{output ? DType::u8 : DType::f32, {qkv[0], rows_of(qkv[1]), qkv[2] / 3}}};
}

std::int64_t QuantizedAttention::flop(std::span<const TensorType> inputs, std::span<const TensorType> outputs) const {
  const Shape& y = outputs[0].shape;
  const std::int64_t pairs = y[1] * inputs[0].shape[1];
  return 4 * y[0] * pairs * y[2] + 5 * y[0] * heads * pairs;
}

std::string QuantizedAttention::text() const {
  std::string words = std::to_string(heads) + " heads, int8" + (output ? ", to u8" : "");
  if (queries_here != 0) words += ", queries " + std::to_string(first_query) + " to " + std::to_string(first_query + queries_here - 1);
  return words;
}

std::span<const Implementation> QuantizedAttention::implementations() {
  static constexpr Implementation list[] = {{"tile", quantized_attention_tile}, {"reference", quantized_attention_reference}};
  return list;
}

}  // namespace edgelab::kernels
