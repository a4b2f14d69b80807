#pragma once

#include <optional>

#include "kernels/activation/activation.hpp"
#include "kernels/op.hpp"
#include "kernels/u8_grid.hpp"

namespace edgelab::kernels {

// A convolution in integers, with a bias, square strides and paddings:
//   sum[n,o,i,j] = bias'[o] + Σ_{c,u,v} (q(x)[n, g(o)+c, i·stride+u−padding, j·stride+v−padding] − input.zero_point) · w[o,c,u,v]
//   y[n,o,i,j]   = to_u8(f32(sum) · factor[o] + (residual − its zero point) · its scale / y's scale), or the same as f32
// exactly, in s32, and then as tile_gemm/requantize.hpp has it, with the same bits in every implementation. q(x) is x where it is
// u8, else x on the grid `input`; outside the image it is the zero point. bias' is the bias in units of input.scale · w's scale.
// Inputs: x u8 or f32 [N, C, H, W], w s8 [O, C/groups, KH, KW], its scale f32 [O], bias f32 [O], then residual u8 (the output's
// shape) if there is one. Output u8, or f32 if it has no grid.
struct QuantizedConv2d {
  static constexpr std::string_view kName = "quantized_conv2d";
  static constexpr DType compute = DType::s8;
  int stride = 1;
  int padding = 0;
  int groups = 1;
  ActivationKind activation = ActivationKind::none;  // none, relu or relu6
  U8Grid input;
  std::optional<U8Grid> output;
  std::optional<U8Grid> residual;  // not without a grid of the output

  std::vector<TensorType> infer(std::span<const TensorType> inputs) const;
  std::int64_t flop(std::span<const TensorType> inputs, std::span<const TensorType> outputs) const;
  std::string text() const;
  static std::span<const Implementation> implementations();
};

// The bounds of a grid behind an activation: 0 is its zero point.
tile_gemm::Requantize bounds_of(const U8Grid& grid, ActivationKind activation);

// Steps by the team: 1×1, depthwise 3×3 (channels last in and out), and a network's first one, from plain f32 images of at most four
// channels that are brought to the grid on the way. All but x and the residual must be known.
Offer quantized_conv2d_tile(const CallSite& site);
Offer quantized_conv2d_reference(const CallSite& site);

}  // namespace edgelab::kernels
