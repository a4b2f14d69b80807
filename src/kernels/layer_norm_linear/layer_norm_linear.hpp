#pragma once

#include "kernels/activation/activation.hpp"
#include "kernels/op.hpp"

namespace edgelab::kernels {

// A linear layer of what a layer normalisation gives, so that the normalised rows never leave the cache:
//   y = activation(layer_norm(x) · weightᵀ + bias)
// Inputs: x [..., K], the normalisation's weight [K] and bias [K], the layer's weight [N, K], then its bias [N] if has_bias.
struct LayerNormLinear {
  static constexpr std::string_view kName = "layer_norm_linear";
  double epsilon = 1e-6;
  bool has_bias = false;
  ActivationKind activation = ActivationKind::none;
  DType compute = DType::f32;  // what the product's operands are rounded to; sums stay f32
  DType output = DType::f32;   // f32, or bf16 for a reader that takes it (attention)

  std::vector<TensorType> infer(std::span<const TensorType> inputs) const;
  std::int64_t flop(std::span<const TensorType> inputs, std::span<const TensorType> outputs) const;
  std::string text() const;
  static std::span<const Implementation> implementations();
};

Offer layer_norm_linear_tile(const CallSite& site);
Offer layer_norm_linear_reference(const CallSite& site);

}  // namespace edgelab::kernels
