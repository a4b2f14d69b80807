#pragma once

#include "kernels/op.hpp"

namespace edgelab::kernels {

// Batch normalisation with fixed statistics (inference; Ioffe and Szegedy 2015):
//   y[n,c,…] = (x − mean[c]) / sqrt(variance[c] + epsilon) · weight[c] + bias[c]
// Inputs: x [N, C, H, W], weight, bias, mean, variance [C].
struct BatchNorm {
  static constexpr std::string_view kName = "batch_norm";
  double epsilon = 1e-5;

  std::vector<TensorType> infer(std::span<const TensorType> inputs) const;
  std::int64_t flop(std::span<const TensorType> inputs, std::span<const TensorType> outputs) const;
  std::string text() const;
  static std::span<const Implementation> implementations();
};

Offer batch_norm_onednn(const CallSite& site);
Offer batch_norm_reference(const CallSite& site);

}  // namespace edgelab::kernels
