#pragma once

#include "kernels/activation/activation.hpp"
#include "kernels/op.hpp"

namespace edgelab::kernels {

// Two-dimensional convolution (cross-correlation, as in PyTorch), square strides and paddings:
//   y[n,o,i,j] = activation(bias[o] + Σ_{c,u,v} x[n, g(o)+c, i·stride+u−padding, j·stride+v−padding] · w[o,c,u,v]) + residual[n,o,i,j]
// The residual is added after the activation. (MobileNetV2 never has both, so the order is a convention.)
// Inputs: x [N, C, H, W], w [O, C/groups, KH, KW], then bias [O] if has_bias, then residual (the output's shape) if has_residual.
struct Conv2d {
  static constexpr std::string_view kName = "conv2d";
  int stride = 1;
  int padding = 0;
  int groups = 1;
  bool has_bias = false;
  bool has_residual = false;
  ActivationKind activation = ActivationKind::none;
  DType compute = DType::f32;  // or bf16: x and w are rounded to it, sums stay f32

  std::size_t residual_input() const { return has_bias ? 3 : 2; }

  std::vector<TensorType> infer(std::span<const TensorType> inputs) const;
  std::int64_t flop(std::span<const TensorType> inputs, std::span<const TensorType> outputs) const;
  std::string text() const;
  static std::span<const Implementation> implementations();
};

// Two kinds that have kernels of their own, forward and backward; w is the weight's shape.
inline bool is_pointwise(const Conv2d& conv, const Shape& w) {
  return w[2] == 1 && w[3] == 1 && conv.groups == 1 && conv.stride == 1 && conv.padding == 0;
}
inline bool is_depthwise_3x3(const Conv2d& conv, const Shape& w) {
  return conv.groups == w[0] && w[1] == 1 && w[2] == 3 && w[3] == 3 && conv.padding == 1 && (conv.stride == 1 || conv.stride == 2);
}

// 1×1 by the team, channels last, without the weight's zeros.
Offer conv2d_sparse(const CallSite& site);
// Steps by the team on tile_gemm, channels last: 1×1; depthwise 3×3; and a network's first one, from plain images of at most
// four channels (these two compute in f32 whatever `compute` says: they are bound by loads and stores).
Offer conv2d_tile(const CallSite& site);
Offer conv2d_onednn(const CallSite& site);
Offer conv2d_reference(const CallSite& site);

}  // namespace edgelab::kernels
