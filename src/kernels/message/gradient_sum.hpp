#pragma once

#include "kernels/message/transport.hpp"
#include "kernels/op.hpp"

namespace edgelab::kernels {

// y = x, where ranks that each go on with a part of the work all have x. What each makes of it is a part of the loss, so the gradient of
// x is the sum over the ranks of the transport: an all_reduce in the backward pass (Megatron-LM's f, Shoeybi et al. 2019; all_reduce
// itself, whose gradient is passed on as it is, is its g).
struct GradientSum {
  static constexpr std::string_view kName = "gradient_sum";
  int ranks = 1;
  Transport* transport = nullptr;  // of the all_reduce; null in a graph that is only looked at

  std::vector<TensorType> infer(std::span<const TensorType> inputs) const;
  std::int64_t flop(std::span<const TensorType>, std::span<const TensorType>) const { return 0; }
  std::string text() const;
  static std::span<const Implementation> implementations();
};

Offer gradient_sum_reference(const CallSite& site);

}  // namespace edgelab::kernels
