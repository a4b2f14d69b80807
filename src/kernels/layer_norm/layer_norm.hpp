#pragma once

#include "kernels/op.hpp"

namespace edgelab::kernels {

// Layer normalisation over the last axis (Ba, Kiros, Hinton 2016), variance without Bessel's correction:
//   y = (x − mean) / sqrt(variance + epsilon) · weight + bias
// Inputs: x [..., D], weight [D], bias [D].
struct LayerNorm {
  static constexpr std::string_view kName = "layer_norm";
  double epsilon = 1e-6;
  DType output = DType::f32;  // or bf16, for readers that would round it

  std::vector<TensorType> infer(std::span<const TensorType> inputs) const;
  std::int64_t flop(std::span<const TensorType> inputs, std::span<const TensorType> outputs) const;
  std::string text() const;
  static std::span<const Implementation> implementations();
};

// By the team, each member its rows (layer_norm_rows.hpp states the error).
Offer layer_norm_simd(const CallSite& site);
Offer layer_norm_onednn(const CallSite& site);
Offer layer_norm_reference(const CallSite& site);

}  // namespace edgelab::kernels
