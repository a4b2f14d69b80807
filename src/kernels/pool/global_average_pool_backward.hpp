#pragma once

#include "kernels/op.hpp"

namespace edgelab::kernels {

// The gradient of GlobalAveragePool: dx[n,c,h,w] = dy[n,c] / (height · width).
// Input: dy [N, C]. Output: dx [N, C, height, width].
struct GlobalAveragePoolBackward {
  static constexpr std::string_view kName = "global_average_pool_backward";
  std::int64_t height = 0, width = 0;

  std::vector<TensorType> infer(std::span<const TensorType> inputs) const;
  std::int64_t flop(std::span<const TensorType> inputs, std::span<const TensorType> outputs) const;
  std::string text() const;
  static std::span<const Implementation> implementations();
};

Offer global_average_pool_backward_tile(const CallSite& site);  // a step by the team, channels last
Offer global_average_pool_backward_reference(const CallSite& site);

}  // namespace edgelab::kernels
