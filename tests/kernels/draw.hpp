#pragma once

#include <initializer_list>

#include "core/random.hpp"
#include "support/random_tensor.hpp"

namespace edgelab::kernels::testing {

// Shapes, settings and numbers that depend on the seed alone.
class Draw {
 public:
  explicit Draw(std::uint64_t seed) : random_(seed) {}
  std::int64_t of(std::initializer_list<std::int64_t> choices) { return *(choices.begin() + random_.below(choices.size())); }
  bool coin() { return random_.below(2) == 0; }
  DType compute() { return coin() ? DType::f32 : DType::bf16; }
  Tensor tensor(Shape shape, float scale = 1.0f, float shift = 0.0f) { return test::random_tensor(shape, random_.next_bits(), scale, shift); }

 private:
  CounterRandom random_;
};

}  // namespace edgelab::kernels::testing
