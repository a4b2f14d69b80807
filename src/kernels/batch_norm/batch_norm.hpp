#pragma once

#include "kernels/activation/activation.hpp"
#include "kernels/op.hpp"

namespace edgelab::kernels {

// Batch normalisation by given statistics (Ioffe and Szegedy 2015):
//   y[n,c,…] = activation((x − mean[c]) / sqrt(variance[c] + epsilon) · weight[c] + bias[c])
// Inputs: x [N, C, H, W], weight, bias, mean, variance [C]. In inference the last four are constants; in training the statistics
// may be those that BatchNormTraining gave for the same x, whose y this then computes again.
struct BatchNorm {
  static constexpr std::string_view kName = "batch_norm";
  double epsilon = 1e-5;
  ActivationKind activation = ActivationKind::none;

  std::vector<TensorType> infer(std::span<const TensorType> inputs) const;
  std::int64_t flop(std::span<const TensorType> inputs, std::span<const TensorType> outputs) const;
  std::string text() const;
  static std::span<const Implementation> implementations();
};

// A step by the team, channels last.
Offer batch_norm_simd(const CallSite& site);
Offer batch_norm_onednn(const CallSite& site);
Offer batch_norm_reference(const CallSite& site);

}  // namespace edgelab::kernels
