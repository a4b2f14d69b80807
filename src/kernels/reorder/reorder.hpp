#pragma once

#include "kernels/op.hpp"

namespace edgelab::kernels {

// The same values in another layout. Plans insert it between kernels that disagree; models don't.
// Its implementations read the layout that is offered and write `target`.
struct Reorder {
  static constexpr std::string_view kName = "reorder";
  Layout target;

  std::vector<TensorType> infer(std::span<const TensorType> inputs) const;
  std::int64_t flop(std::span<const TensorType>, std::span<const TensorType>) const { return 0; }
  std::string text() const;
  static std::span<const Implementation> implementations();
};

Offer reorder_onednn(const CallSite& site);
Offer reorder_reference(const CallSite& site);  // between plain and channels-last

}  // namespace edgelab::kernels
