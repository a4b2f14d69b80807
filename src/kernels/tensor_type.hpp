#pragma once

#include "core/dtype.hpp"
#include "core/shape.hpp"

namespace edgelab::kernels {

// What a graph knows of a value: its element type and its logical shape (images are [N, C, H, W], tokens [N, T, D]).
struct TensorType {
  DType dtype = DType::f32;
  Shape shape;

  std::int64_t elements() const { return shape.elements(); }
  std::size_t bytes() const { return static_cast<std::size_t>(elements()) * size_of(dtype); }
  bool operator==(const TensorType&) const = default;
};

}  // namespace edgelab::kernels
