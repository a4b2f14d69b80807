#pragma once

#include "kernels/op.hpp"

namespace edgelab::kernels {

// y = a + b or a · b, where b is broadcast onto a (trailing axes aligned, each of b's extents equal to a's or 1).
// Inputs: a, b; the output has a's shape.
struct Binary {
  enum class Kind : std::uint8_t { add, multiply };
  static constexpr std::string_view kName = "binary";
  Kind kind = Kind::add;

  std::vector<TensorType> infer(std::span<const TensorType> inputs) const;
  std::int64_t flop(std::span<const TensorType> inputs, std::span<const TensorType> outputs) const;
  std::string text() const;
  static std::span<const Implementation> implementations();
};

Offer binary_onednn(const CallSite& site);
Offer binary_reference(const CallSite& site);

// b's shape with ones in front, as many axes as a's.
Shape aligned_shape(const Shape& b, int rank);

}  // namespace edgelab::kernels
