#pragma once

#include "kernels/op.hpp"

namespace edgelab::kernels {

// y[n,c] = mean over h, w of x[n,c,h,w].
struct GlobalAveragePool {
  static constexpr std::string_view kName = "global_average_pool";

  std::vector<TensorType> infer(std::span<const TensorType> inputs) const;
  std::int64_t flop(std::span<const TensorType> inputs, std::span<const TensorType> outputs) const;
  std::string text() const { return ""; }
  static std::span<const Implementation> implementations();
};

Offer global_average_pool_tile(const CallSite& site);  // a step by the team, channels last
Offer global_average_pool_onednn(const CallSite& site);
Offer global_average_pool_reference(const CallSite& site);

}  // namespace edgelab::kernels
