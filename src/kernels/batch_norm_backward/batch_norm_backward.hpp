#pragma once

#include "kernels/activation/activation.hpp"
#include "kernels/op.hpp"

namespace edgelab::kernels {

// The gradient of BatchNormTraining, or with `frozen` of BatchNorm, whose mean and variance are constants. With
// n = (x − mean) / sqrt(variance + epsilon), M = N·H·W, and g = dy · activation'(n · weight + bias), recomputed from x:
//   dbias[c] = Σ g,  dweight[c] = Σ g · n
//   dx = weight / sqrt(variance + epsilon) · (g − dbias / M − n · dweight / M), or with `frozen` without the last two terms
// Inputs: x [N, C, H, W], weight, bias, mean, variance [C], dy [N, C, H, W]. Outputs: dx [N, C, H, W], dweight [C], dbias [C].
struct BatchNormBackward {
  static constexpr std::string_view kName = "batch_norm_backward";
  double epsilon = 1e-5;
  ActivationKind activation = ActivationKind::none;
  bool frozen = false;

  std::vector<TensorType> infer(std::span<const TensorType> inputs) const;
  std::int64_t flop(std::span<const TensorType> inputs, std::span<const TensorType> outputs) const;
  std::string text() const;
  static std::span<const Implementation> implementations();
};

// A step by the team, channels last; two passes over the pixels.
Offer batch_norm_backward_simd(const CallSite& site);
Offer batch_norm_backward_reference(const CallSite& site);

}  // namespace edgelab::kernels
