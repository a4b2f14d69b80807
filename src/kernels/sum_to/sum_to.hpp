#pragma once

#include "kernels/op.hpp"

namespace edgelab::kernels {

// The gradient of a broadcast operand: x summed over the axes in which `shape` (trailing axes aligned, as Binary's second
// operand is broadcast) is 1 or absent. Input: x, fp32; output: exactly `shape`.
struct SumTo {
  static constexpr std::string_view kName = "sum_to";
  Shape shape;

  std::vector<TensorType> infer(std::span<const TensorType> inputs) const;
  std::int64_t flop(std::span<const TensorType> inputs, std::span<const TensorType> outputs) const;
  std::string text() const;
  static std::span<const Implementation> implementations();
};

// By the team, where the axes that are summed come before those that are kept.
Offer sum_to_team(const CallSite& site);
Offer sum_to_reference(const CallSite& site);

}  // namespace edgelab::kernels
