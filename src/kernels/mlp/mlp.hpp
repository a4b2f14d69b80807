#pragma once

#include "kernels/activation/activation.hpp"
#include "kernels/op.hpp"

namespace edgelab::kernels {

// The second half of a transformer block (Vaswani et al. 2017, with the normalisation in front as in ViT):
//   y = x + down · activation(up · layer_norm(x) + up_bias) + down_bias
// Inputs: x [..., D], the normalisation's weight [D] and bias [D], up [H, D] and its bias [H], down [D, H] and its bias [D].
struct Mlp {
  static constexpr std::string_view kName = "mlp";
  double epsilon = 1e-6;
  ActivationKind activation = ActivationKind::gelu;
  DType compute = DType::f32;  // what the products' operands are rounded to; sums and y stay f32

  enum Input : std::size_t { kX, kNormWeight, kNormBias, kUp, kUpBias, kDown, kDownBias, kInputs };

  std::vector<TensorType> infer(std::span<const TensorType> inputs) const;
  std::int64_t flop(std::span<const TensorType> inputs, std::span<const TensorType> outputs) const;
  std::string text() const;
  static std::span<const Implementation> implementations();
};

// By the team on tile_gemm; the weights must be known.
Offer mlp_tile(const CallSite& site);
Offer mlp_reference(const CallSite& site);

}  // namespace edgelab::kernels
