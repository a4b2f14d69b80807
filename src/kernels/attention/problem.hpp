#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/attention/attention.hpp"
#include "kernels/attention/attention_rows.hpp"

// What the implementations of attention and of its gradient share: where an element lies.
namespace edgelab::kernels {

struct AttentionProblem {
  std::int64_t samples = 0, tokens = 0, heads = 0, head_width = 0;
  std::int64_t first_query = 0, queries = 0;  // that are computed; outputs have rows of these alone, counted from the first
  double scale = 1.0;
  bool causal = false;
  DType type = DType::f32;     // of qkv and of the output
  DType compute = DType::f32;  // of the products' operands
  // Bias [1 or samples, 1 or heads, tokens, tokens]; steps in elements, 0 where it repeats.
  bool has_bias = false;
  std::int64_t bias_sample_step = 0, bias_head_step = 0;

  std::int64_t width() const { return heads * head_width; }
  std::int64_t qkv_ld() const { return 3 * width(); }
  // Element of qkv: query (part 0), key (1) or value (2) of a token.
  std::int64_t at(std::int64_t sample, std::int64_t token, int part, std::int64_t head) const {
    return (sample * tokens + token) * qkv_ld() + part * width() + head * head_width;
  }
  // Element of the output [samples, queries, width].
  std::int64_t output_at(std::int64_t sample, std::int64_t row, std::int64_t head) const {
    return (sample * queries + row) * width() + head * head_width;
  }
  // Element of the log-sum-exp [samples, heads, queries].
  std::int64_t row_at(std::int64_t sample, std::int64_t head, std::int64_t row) const { return (sample * heads + head) * queries + row; }
  std::int64_t bias_at(std::int64_t sample, std::int64_t head, std::int64_t query) const {
    return sample * bias_sample_step + head * bias_head_step + query * tokens;
  }
  // How many keys the query sees: those before it and itself, or all.
  std::int64_t keys_of(std::int64_t query) const { return causal ? query + 1 : tokens; }
};

AttentionProblem attention_problem(const Attention& settings, std::span<const TensorType> inputs);
AttentionProblem attention_problem(const AttentionRows& settings, std::span<const TensorType> inputs);

// Element `index` of f32 or bf16.
inline const std::byte* element_at(const std::byte* base, DType type, std::int64_t index) {
  return base + index * static_cast<std::int64_t>(size_of(type));
}
inline std::byte* element_at(std::byte* base, DType type, std::int64_t index) { return base + index * static_cast<std::int64_t>(size_of(type)); }
inline float value_at(const std::byte* base, DType type, std::int64_t index) {
  return type == DType::f32 ? reinterpret_cast<const float*>(base)[index] : bf16_to_float(reinterpret_cast<const std::uint16_t*>(base)[index]);
}
inline void store_value(std::byte* base, DType type, std::int64_t index, double value) {
  if (type == DType::f32) {
    reinterpret_cast<float*>(base)[index] = static_cast<float>(value);
  } else {
    reinterpret_cast<std::uint16_t*>(base)[index] = float_to_bf16(static_cast<float>(value));
  }
}

}  // namespace edgelab::kernels
