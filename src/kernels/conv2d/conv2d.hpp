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

  std::size_t residual_input() const { return has_bias ? 3 : 2; }

  std::vector<TensorType> infer(std::span<const TensorType> inputs) const;
  std::int64_t flop(std::span<const TensorType> inputs, std::span<const TensorType> outputs) const;
  std::string text() const;
  static std::span<const Implementation> implementations();
};

Offer conv2d_onednn(const CallSite& site);
Offer conv2d_reference(const CallSite& site);

}  // namespace edgelab::kernels
