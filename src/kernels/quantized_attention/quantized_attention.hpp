#pragma once

#include <optional>

#include "kernels/op.hpp"
#include "kernels/u8_grid.hpp"

namespace edgelab::kernels {

// Attention whose two products are of integers; the softmax between them is in f32. For each head, query i and key j:
//   score[j]  = Σ_d (q[i,d] − queries.zero_point) · (k[j,d] − keys.zero_point)            exactly, in s32
//   weight[j] = round(255 · 2^(f32(score[j] − max score) · factor))                       factor = scale · s_q · s_k · log2 e
//   y[i,d]    = f32(Σ_j weight[j] · (v[j,d] − values.zero_point)) · (ratio / f32(Σ_j weight[j])),   onto its grid if it is u8
// A weight is relative to the largest of its row, so that the largest is always 255 however flat the row is, and what the weights
// are divided by is their own exact sum. Since scores, maxima and sums are integers, it makes no difference how keys are cut into
// tiles: every implementation, one pass or many, gives the same bits. The power is the same float routine in all of them.
//
// Input: qkv u8 [N, T, 3·D], the last axis ordered (q|k|v, head, d). Output: [N, T, D], u8 if there is an `output`, else f32. Where
// other ranks have the other queries (graph/split/part.hpp): [N, queries, D], of those from `first_query` on; others are not read.
struct QuantizedAttention {
  static constexpr std::string_view kName = "quantized_attention";
  static constexpr DType compute = DType::s8;
  int heads = 1;
  double scale = 0.0;  // 0: 1 / sqrt(D / heads)
  U8Grid queries, keys, values;
  std::optional<U8Grid> output;
  std::int64_t first_query = 0, queries_here = 0;  // 0: all T

  std::int64_t rows_of(std::int64_t tokens) const { return queries_here != 0 ? queries_here : tokens; }
  double effective_scale(std::int64_t width) const;
  float factor(std::int64_t width) const;  // of a difference of scores
  float ratio() const { return static_cast<float>(static_cast<double>(values.scale) / (output ? static_cast<double>(output->scale) : 1.0)); }

  std::vector<TensorType> infer(std::span<const TensorType> inputs) const;
  std::int64_t flop(std::span<const TensorType> inputs, std::span<const TensorType> outputs) const;
  std::string text() const;
  static std::span<const Implementation> implementations();
};

// By the team on tile_gemm.
Offer quantized_attention_tile(const CallSite& site);
Offer quantized_attention_reference(const CallSite& site);

}  // namespace edgelab::kernels
