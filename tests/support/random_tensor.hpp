#pragma once

#include "core/random.hpp"
#include "core/tensor.hpp"

namespace edgelab::test {

// Normal numbers that depend on the seed alone.
inline Tensor random_tensor(Shape shape, std::uint64_t seed, float scale = 1.0f, float shift = 0.0f) {
  Tensor tensor(DType::f32, shape);
  CounterRandom random(seed);
  for (float& element : tensor.as<float>()) element = shift + scale * random.normal();
  return tensor;
}

// Largest |a − b| over the standard deviation of b: the measure that expectations use.
double relative_difference(const Tensor& a, const Tensor& b);

}  // namespace edgelab::test
