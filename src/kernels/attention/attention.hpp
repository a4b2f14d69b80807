#pragma once

#include "kernels/op.hpp"

namespace edgelab::kernels {

// Multi-head self-attention between the QKV projection and the output projection (Vaswani et al. 2017):
//   for each head h:  O_h = softmax(Q_h K_hᵀ · scale) V_h
// Input: qkv [N, T, 3·D], the last axis ordered (q|k|v, head, d) as timm's fused projection gives it.
// Output: [N, T, D], the last axis ordered (head, d).
struct Attention {
  static constexpr std::string_view kName = "attention";
  int heads = 1;
  double scale = 0.0;  // 0: 1 / sqrt(D / heads)

  double effective_scale(std::int64_t width) const;

  std::vector<TensorType> infer(std::span<const TensorType> inputs) const;
  std::int64_t flop(std::span<const TensorType> inputs, std::span<const TensorType> outputs) const;
  std::string text() const;
  static std::span<const Implementation> implementations();
};

// Naive: the whole score matrix [N, heads, T, T] stands in memory.
Offer attention_onednn(const CallSite& site);
Offer attention_reference(const CallSite& site);

}  // namespace edgelab::kernels
