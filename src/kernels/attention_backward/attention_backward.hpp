#pragma once

#include "kernels/attention/attention.hpp"

namespace edgelab::kernels {

// The gradient of Attention with respect to its fused input (Dao et al. 2022, algorithm 4):
//   P = exp(Q Kᵀ · scale + bias − L)      recomputed, L the forward pass's log-sum-exp
//   dV = Pᵀ dO,  dS = P ∘ (dO Vᵀ − rowsum(dO ∘ O)) · scale,  dQ = dS K,  dK = dSᵀ Q
// Inputs: qkv [N, T, 3·D]; output [N, T, D] of the same type; L f32 [N, heads, T]; the output's gradient f32 [N, T, D];
//         the bias, if `has_bias`. Output: f32 [N, T, 3·D], ordered as qkv. The bias itself gets no gradient.
struct AttentionBackward {
  static constexpr std::string_view kName = "attention_backward";
  int heads = 1;
  double scale = 0.0;          // these five as in Attention
  DType compute = DType::f32;
  bool causal = false;
  bool has_bias = false;

  Attention forward() const;

  std::vector<TensorType> infer(std::span<const TensorType> inputs) const;
  std::int64_t flop(std::span<const TensorType> inputs, std::span<const TensorType> outputs) const;
  std::string text() const;
  static std::span<const Implementation> implementations();
};

Offer attention_backward_flash(const CallSite& site);
Offer attention_backward_reference(const CallSite& site);

}  // namespace edgelab::kernels
