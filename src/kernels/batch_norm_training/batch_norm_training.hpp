#pragma once

#include "kernels/activation/activation.hpp"
#include "kernels/op.hpp"

namespace edgelab::kernels {

// Batch normalisation by the statistics of the batch itself (training; Ioffe and Szegedy 2015, algorithm 1):
//   y[n,c,h,w] = activation((x − mean[c]) / sqrt(variance[c] + epsilon) · weight[c] + bias[c])
// with mean and variance over n, h, w. The variance is the biased one (divided by N·H·W); who keeps running statistics by the
// unbiased one multiplies it by N·H·W / (N·H·W − 1).
// Inputs: x [N, C, H, W], weight [C], bias [C]. Outputs: y [N, C, H, W], mean [C], variance [C].
struct BatchNormTraining {
  static constexpr std::string_view kName = "batch_norm_training";
  double epsilon = 1e-5;
  ActivationKind activation = ActivationKind::none;

  std::vector<TensorType> infer(std::span<const TensorType> inputs) const;
  std::int64_t flop(std::span<const TensorType> inputs, std::span<const TensorType> outputs) const;
  std::string text() const;
  static std::span<const Implementation> implementations();
};

// A step by the team, channels last; two passes over the pixels.
Offer batch_norm_training_simd(const CallSite& site);
Offer batch_norm_training_reference(const CallSite& site);

}  // namespace edgelab::kernels
