#pragma once

#include "kernels/conv2d/conv2d.hpp"

namespace edgelab::kernels {

// The gradient of Conv2d (without activation and residual) with respect to its weight and bias:
//   dw[o,c,u,v] = Σ_{n,i,j} dy[n,o,i,j] · x[n, g(o)+c, i·stride+u−padding, j·stride+v−padding]
//   db[o] = Σ_{n,i,j} dy[n,o,i,j]
// Inputs: x [N, C, H, W], dy [N, O, OH, OW]. Outputs: dw [O, C/groups, KH, KW], and db [O] if has_bias.
struct Conv2dBackwardWeights {
  static constexpr std::string_view kName = "conv2d_backward_weights";
  int stride = 1;  // these three as in Conv2d
  int padding = 0;
  int groups = 1;
  std::int64_t kernel_height = 0, kernel_width = 0;
  bool has_bias = false;
  DType compute = DType::f32;  // or bf16: x and dy are rounded to it, sums stay f32

  Conv2d forward() const;

  std::vector<TensorType> infer(std::span<const TensorType> inputs) const;
  std::int64_t flop(std::span<const TensorType> inputs, std::span<const TensorType> outputs) const;
  std::string text() const;
  static std::span<const Implementation> implementations();
};

// Steps by the team: depthwise 3×3 on Highway, channels last (in f32 whatever `compute` says, as forward); on tile_gemm 1×1
// channels last, and a network's first one, from plain images of at most four channels (in f32).
Offer conv2d_backward_weights_simd(const CallSite& site);
Offer conv2d_backward_weights_tile(const CallSite& site);
Offer conv2d_backward_weights_onednn(const CallSite& site);
Offer conv2d_backward_weights_reference(const CallSite& site);

}  // namespace edgelab::kernels
