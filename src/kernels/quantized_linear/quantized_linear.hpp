#pragma once

#include <optional>
#include <vector>

#include "kernels/activation/activation.hpp"
#include "kernels/op.hpp"
#include "kernels/u8_grid.hpp"

namespace edgelab::kernels {

// A linear layer in integers; with a layer normalisation before it, if `epsilon` says so:
//   sum[…, o] = bias'[o] + Σ_k (q(x)[…, k] − input.zero_point) · w[o, k]           exactly, in s32
//   y[…, o]   = activation(f32(sum) · factor[o]) + residual[…, o],    or that as u8
// q(x) is x where it is u8, else x (normalised) on the grid `input`. bias' is the bias in units of input.scale · w's scale;
// factor and roundings: integer_tables.hpp, tile_gemm/requantize.hpp. Every implementation gives the same bits: GELU and the
// normalisation are the same float routines in all of them, the reference too.
//
// Inputs: x u8 or f32 [..., K], then the normalisation's weight [K] and bias [K] if `epsilon`, w s8 [N, K], its scale f32 [N], then
// bias f32 [N] if has_bias, then residual f32 [..., N] if has_residual. Output: [..., N], u8 if there are `outputs`, else f32.
struct QuantizedLinear {
  static constexpr std::string_view kName = "quantized_linear";
  static constexpr DType compute = DType::s8;
  U8Grid input;
  int weight_bits = 8;  // or 4: w in [−7, 7], kept two to a byte
  std::optional<double> epsilon;
  bool has_bias = false;
  bool has_residual = false;                         // not with an activation, nor with `outputs`
  ActivationKind activation = ActivationKind::none;  // none, relu or gelu
  std::vector<U8Grid> outputs;                       // one for each equal part of N (queries, keys, values), or one for all

  std::size_t weight_input() const { return epsilon ? 3 : 1; }
  std::size_t scale_input() const { return weight_input() + 1; }
  std::size_t bias_input() const { return weight_input() + 2; }
  std::size_t residual_input() const { return weight_input() + (has_bias ? 3 : 2); }
  std::size_t input_count() const { return residual_input() + (has_residual ? 1 : 0); }

  std::vector<TensorType> infer(std::span<const TensorType> inputs) const;
  std::int64_t flop(std::span<const TensorType> inputs, std::span<const TensorType> outputs) const;
  std::string text() const;
  static std::span<const Implementation> implementations();
};

// By the team on tile_gemm, as linear_tile; all but x and the residual must be known.
Offer quantized_linear_tile(const CallSite& site);
Offer quantized_linear_reference(const CallSite& site);

}  // namespace edgelab::kernels
