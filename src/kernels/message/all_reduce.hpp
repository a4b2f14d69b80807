#pragma once

#include "kernels/message/transport.hpp"
#include "kernels/op.hpp"

namespace edgelab::kernels {

// y = the sum of x over the ranks of the transport, the same numbers on each.
// Inputs: x of `type`, f32; none on a rank that has no part in the sum and only needs to know it. Output: the same shape.
struct AllReduce {
  static constexpr std::string_view kName = "all_reduce";
  TensorType type;
  bool contributes = true;
  int ranks = 1;
  Transport* transport = nullptr;  // outlives the executables; null in a graph that is only looked at

  std::vector<TensorType> infer(std::span<const TensorType> inputs) const;
  std::int64_t flop(std::span<const TensorType>, std::span<const TensorType>) const { return 0; }
  std::string text() const;
  static std::span<const Implementation> implementations();
};

// In the layout that all ranks agree on (message.hpp). Its step allocates and throws as the transport does.
Offer all_reduce_transport(const CallSite& site);

}  // namespace edgelab::kernels
