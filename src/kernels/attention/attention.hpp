#pragma once

#include "kernels/op.hpp"

namespace edgelab::kernels {

// Multi-head self-attention between the QKV projection and the output projection (Vaswani et al. 2017):
//   for each head h:  O_h = softmax(Q_h K_hᵀ · scale + bias) V_h
// Inputs: qkv [N, T, 3·D], f32 or bf16, the last axis ordered (q|k|v, head, d) as timm's fused projection gives it;
//         bias f32 [1 or N, 1 or heads, T, T] if `has_bias`, -∞ where a query must not see a key.
// Outputs: [N, T, D] of qkv's type, the last axis ordered (head, d); if `with_log_sum_exp`, f32 [N, heads, T]: the natural
//          logarithm of each softmax's denominator, which the backward pass takes the probabilities from.
// A query that sees no key at all gives zeros, and a log-sum-exp of -∞.
struct Attention {
  static constexpr std::string_view kName = "attention";
  // naive: the whole score matrix stands in memory. flash: tile by tile (Dao et al. 2022). automatic: whichever the list of
  // implementations has first.
  enum class Algorithm : std::uint8_t { automatic, naive, flash };

  int heads = 1;
  double scale = 0.0;  // 0: 1 / sqrt(D / heads)
  DType compute = DType::f32;  // or bf16: Q, K and V are rounded to it (kernels may round the probabilities too), sums stay f32
  bool causal = false;         // query t sees keys 0 … t
  bool has_bias = false;
  bool with_log_sum_exp = false;
  Algorithm algorithm = Algorithm::automatic;

  double effective_scale(std::int64_t width) const;

  std::vector<TensorType> infer(std::span<const TensorType> inputs) const;
  std::int64_t flop(std::span<const TensorType> inputs, std::span<const TensorType> outputs) const;
  std::string text() const;
  static std::span<const Implementation> implementations();
};

Offer attention_flash(const CallSite& site);
Offer attention_onednn(const CallSite& site);  // naive: scores [N, heads, T, T] in scratch
Offer attention_reference(const CallSite& site);

}  // namespace edgelab::kernels
