#pragma once

#include "kernels/op.hpp"

namespace edgelab::kernels {

// Layer normalisation over the last axis (Ba, Kiros, Hinton 2016), variance without Bessel's correction:
//   y = (x − mean) / sqrt(variance + epsilon) · weight + bias
// Inputs: x [..., D], weight [D], bias [D].
struct LayerNorm {
  static constexpr std::string_view kName = "layer_norm";
  double epsilon = 1e-6;

  std::vector<TensorType> infer(std::span<const TensorType> inputs) const;
  std::int64_t flop(std::span<const TensorType> inputs, std::span<const TensorType> outputs) const;
  std::string text() const;
  static std::span<const Implementation> implementations();
};

Offer layer_norm_onednn(const CallSite& site);
Offer layer_norm_reference(const CallSite& site);

}  // namespace edgelab::kernels
