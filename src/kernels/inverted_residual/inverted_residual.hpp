#pragma once

#include "kernels/op.hpp"

namespace edgelab::kernels {

// MobileNetV2's block (Sandler et al., CVPR 2018), batch normalisation folded into its convolutions:
//   e = relu6(expand ∗ x + bias)          1×1, only if `expand`; else e = x
//   d = relu6(depthwise ∗ e + bias)       3×3, padding 1
//   y = project · d + bias (+ x)          1×1
// Where the block is a network's first, that network's first convolution can take the expansion's place: KH×KW, with a stride
// and a padding. (At 112×112×32 its result would otherwise go to memory and back.)
// Inputs: x [N, C, H, W]; if `expand`: weight [E, C, KH, KW], bias [E]; depthwise weight [E, 1, 3, 3], bias [E]; projection
// weight [O, E, 1, 1], bias [O]. Output [N, O, ⌈He/stride⌉, ⌈We/stride⌉], where e is [N, E, He, We].
struct InvertedResidual {
  static constexpr std::string_view kName = "inverted_residual";
  int stride = 1;  // 1 or 2
  bool expand = true;
  bool has_residual = false;  // then stride is 1 and O = C
  // Or bf16: the operands of 1×1 convolutions are rounded to it. The others read f32, which is no slower (bf16 has no
  // multiply-add of one pair) and saves two roundings; sums and y are f32 as well.
  DType compute = DType::f32;
  int expand_stride = 1, expand_padding = 0;

  // Whether the expansion of weight [E, C, KH, KW] is the usual one.
  bool expands_pointwise(const Shape& weight) const { return weight[2] == 1 && weight[3] == 1 && expand_stride == 1 && expand_padding == 0; }
  // Height and width of e.
  std::int64_t expanded_extent(std::int64_t extent, std::int64_t kernel) const { return (extent + 2 * expand_padding - kernel) / expand_stride + 1; }

  // Where the weights stand among the inputs; each has its bias behind it.
  std::size_t expand_input() const { return 1; }
  std::size_t depthwise_input() const { return expand ? 3 : 1; }
  std::size_t project_input() const { return expand ? 5 : 3; }

  std::vector<TensorType> infer(std::span<const TensorType> inputs) const;
  std::int64_t flop(std::span<const TensorType> inputs, std::span<const TensorType> outputs) const;
  std::string text() const;
  static std::span<const Implementation> implementations();
};

// A step by the team, channels last in and out, without the zeros of the two 1×1 convolutions' constant weights.
Offer inverted_residual_sparse(const CallSite& site);
// A step by the team, channels last in and out, but for plain images where the expansion is a first convolution; wants constant
// weights.
Offer inverted_residual_tile(const CallSite& site);
Offer inverted_residual_reference(const CallSite& site);

}  // namespace edgelab::kernels
