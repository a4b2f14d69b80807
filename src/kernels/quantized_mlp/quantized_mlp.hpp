#pragma once

#include "kernels/activation/activation.hpp"
#include "kernels/op.hpp"
#include "kernels/u8_grid.hpp"

namespace edgelab::kernels {

// Mlp in integers, as a normalisation and two QuantizedLinear compute it, bit for bit:
//   y = x + down · activation(up · layer_norm(x) + up_bias) + down_bias
// The normalised rows lie on the grid `input`, the hidden layer on `hidden`; x and y are f32.
// Inputs: x [..., D], the normalisation's weight [D] and bias [D], up s8 [H, D], its scale f32 [H] and bias f32 [H], down s8 [D, H],
// its scale f32 [D] and bias f32 [D].
struct QuantizedMlp {
  static constexpr std::string_view kName = "quantized_mlp";
  static constexpr DType compute = DType::s8;
  double epsilon = 1e-6;
  ActivationKind activation = ActivationKind::gelu;  // none, relu or gelu
  U8Grid input, hidden;
  int up_bits = 8, down_bits = 8;  // 8 or 4

  enum Input : std::size_t { kX, kNormWeight, kNormBias, kUp, kUpScale, kUpBias, kDown, kDownScale, kDownBias, kInputs };

  std::vector<TensorType> infer(std::span<const TensorType> inputs) const;
  std::int64_t flop(std::span<const TensorType> inputs, std::span<const TensorType> outputs) const;
  std::string text() const;
  static std::span<const Implementation> implementations();
};

// By the team on tile_gemm; all but x must be known.
Offer quantized_mlp_tile(const CallSite& site);
Offer quantized_mlp_reference(const CallSite& site);

}  // namespace edgelab::kernels
