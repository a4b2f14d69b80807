#pragma once

#include "kernels/activation/activation.hpp"
#include "kernels/op.hpp"

namespace edgelab::kernels {

// y[…, o] = activation(bias[o] + Σ_k x[…, k] · w[o, k]) + residual[…, o]
// Inputs: x [..., K] (f32, or bf16 from a reader of it), w [O, K], then bias [O] if has_bias, then residual [..., O] if has_residual.
struct Linear {
  static constexpr std::string_view kName = "linear";
  bool has_bias = false;
  bool has_residual = false;
  ActivationKind activation = ActivationKind::none;
  DType compute = DType::f32;  // or bf16: x and w are rounded to it, sums stay f32
  DType output = DType::f32;   // or bf16, for readers that would round it

  std::size_t residual_input() const { return has_bias ? 3 : 2; }

  std::vector<TensorType> infer(std::span<const TensorType> inputs) const;
  std::int64_t flop(std::span<const TensorType> inputs, std::span<const TensorType> outputs) const;
  std::string text() const;
  static std::span<const Implementation> implementations();
};

// By the team, without the weight's zeros.
Offer linear_sparse(const CallSite& site);
// By the team on tile_gemm.
Offer linear_tile(const CallSite& site);
Offer linear_onednn(const CallSite& site);
Offer linear_reference(const CallSite& site);

}  // namespace edgelab::kernels
