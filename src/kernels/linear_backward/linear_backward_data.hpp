#pragma once

#include "kernels/activation/activation.hpp"
#include "kernels/op.hpp"

namespace edgelab::kernels {

// The gradient of Linear with respect to its input: dx[…, k] = Σ_o dy[…, o] · w[o, k]
// and, where that input is an activation's output, of the activation with it: dx[…, k] · f'(z[…, k])
// Inputs: dy [..., O], w [O, K], then z [..., K] if there is an activation; output: dx [..., K]. All fp32.
struct LinearBackwardData {
  static constexpr std::string_view kName = "linear_backward_data";
  DType compute = DType::f32;  // or bf16: dy and w are rounded to it, sums stay f32
  ActivationKind activation = ActivationKind::none;

  std::vector<TensorType> infer(std::span<const TensorType> inputs) const;
  std::int64_t flop(std::span<const TensorType> inputs, std::span<const TensorType> outputs) const;
  std::string text() const;
  static std::span<const Implementation> implementations();
};

// By the team on tile_gemm: a linear layer whose weight is not turned.
Offer linear_backward_data_tile(const CallSite& site);
Offer linear_backward_data_reference(const CallSite& site);

}  // namespace edgelab::kernels
