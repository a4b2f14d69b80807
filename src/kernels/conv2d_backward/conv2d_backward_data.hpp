#pragma once

#include "kernels/conv2d/conv2d.hpp"

namespace edgelab::kernels {

// The gradient of Conv2d (without bias, activation and residual) with respect to its input:
//   dx[n,c,r,s] = Σ_{o,u,v} dy[n,o,i,j] · w[o,c−g(o),u,v]    where i·stride + u − padding = r and j·stride + v − padding = s
// Inputs: dy [N, O, OH, OW], w [O, C/groups, KH, KW]. Output: dx [N, C, height, width]. Several heights of x give the same
// height of y where stride > 1, so that x's own is a setting.
struct Conv2dBackwardData {
  static constexpr std::string_view kName = "conv2d_backward_data";
  int stride = 1;  // these three as in Conv2d
  int padding = 0;
  int groups = 1;
  std::int64_t height = 0, width = 0;  // of x
  DType compute = DType::f32;          // or bf16: dy and w are rounded to it, sums stay f32

  Conv2d forward() const;

  std::vector<TensorType> infer(std::span<const TensorType> inputs) const;
  std::int64_t flop(std::span<const TensorType> inputs, std::span<const TensorType> outputs) const;
  std::string text() const;
  static std::span<const Implementation> implementations();
};

// Steps by the team, channels last: 1×1, and depthwise 3×3 (in f32 whatever `compute` says, as forward).
Offer conv2d_backward_data_tile(const CallSite& site);
Offer conv2d_backward_data_onednn(const CallSite& site);
Offer conv2d_backward_data_reference(const CallSite& site);

}  // namespace edgelab::kernels
