#pragma once

#include "kernels/op.hpp"

namespace edgelab::kernels {

// The gradients of LayerNorm (Ba, Kiros, Hinton 2016), from its input alone: mean and deviation of each row are made again.
// With n = (x − mean) · r, r = 1 / sqrt(variance + epsilon), g = dy · weight, and means over the last axis:
//   dx = r · (g − mean(g) − n · mean(g · n)),  dweight = Σ_rows dy · n,  dbias = Σ_rows dy
// Where a residual branch begins at x, the gradient that comes along the other way can be added: dx + addend.
// Inputs: x [..., D], weight [D], dy [..., D], then the addend [..., D] if has_addend; outputs: dx [..., D], dweight [D],
// dbias [D]. All fp32.
struct LayerNormBackward {
  static constexpr std::string_view kName = "layer_norm_backward";
  double epsilon = 1e-6;
  bool has_addend = false;

  std::vector<TensorType> infer(std::span<const TensorType> inputs) const;
  std::int64_t flop(std::span<const TensorType> inputs, std::span<const TensorType> outputs) const;
  std::string text() const;
  static std::span<const Implementation> implementations();
};

// By the team, each member its rows.
Offer layer_norm_backward_simd(const CallSite& site);
Offer layer_norm_backward_reference(const CallSite& site);

}  // namespace edgelab::kernels
