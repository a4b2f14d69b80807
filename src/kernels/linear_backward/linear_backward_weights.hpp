#pragma once

#include "kernels/op.hpp"

namespace edgelab::kernels {

// The gradients of Linear with respect to its weight and bias, summed over all rows of all samples:
//   dw[o, k] = Σ dy[…, o] · x[…, k],  db[o] = Σ dy[…, o]
// Inputs: x [..., K] (f32, or bf16 where it computes in that), dy [..., O] with as many rows; outputs: dw [O, K], then db [O]
// if has_bias. The others are f32.
struct LinearBackwardWeights {
  static constexpr std::string_view kName = "linear_backward_weights";
  bool has_bias = false;
  DType compute = DType::f32;  // or bf16: x and dy are rounded to it for dw, sums stay f32; db sums dy as it is

  std::vector<TensorType> infer(std::span<const TensorType> inputs) const;
  std::int64_t flop(std::span<const TensorType> inputs, std::span<const TensorType> outputs) const;
  std::string text() const;
  static std::span<const Implementation> implementations();
};

// By the team on tile_gemm (tile_weight_gradient.hpp).
Offer linear_backward_weights_tile(const CallSite& site);
Offer linear_backward_weights_reference(const CallSite& site);

}  // namespace edgelab::kernels
