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

// By the team, where b repeats along a in plain layout: the same shape, one number a column, one number.
Offer binary_team(const CallSite& site);
Offer binary_onednn(const CallSite& site);
Offer binary_reference(const CallSite& site);

// b's shape with ones in front, as many axes as a's.
Shape aligned_shape(const Shape& b, int rank);
// Whether b can be broadcast onto a.
bool broadcasts(const Shape& b, const Shape& a);

// Where in b, broadcast onto a, the element lies that stands at a's element `at`; both row-major.
class BroadcastIndex {
 public:
  BroadcastIndex(const Shape& b, const Shape& a);
  std::int64_t operator()(std::int64_t at) const {
    std::int64_t other = 0;
    for (int axis = shape_.rank() - 1; axis >= 0; --axis) {
      other += at % shape_[axis] * strides_[axis];
      at /= shape_[axis];
    }
    return other;
  }

 private:
  Shape shape_, strides_;  // of a; of b, 0 where it is broadcast
};

}  // namespace edgelab::kernels
