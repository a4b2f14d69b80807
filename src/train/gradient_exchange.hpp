#pragma once

#include <cstddef>
#include <span>

namespace edgelab::train {

// How the ranks of a data-parallel job add up their gradients. train knows nothing of MPI: who does implements this
// (tasks/training/exchange.hpp).
class GradientExchange {
 public:
  virtual ~GradientExchange() = default;

  // This rank's gradient of a parameter, ready while the backward pass still runs; copied. Never blocks, must not throw.
  virtual void add(std::size_t gradient, std::span<const float> values) noexcept = 0;
  // Blocks until all sums are there. Throws what went wrong in add().
  virtual void finish() = 0;
  // Over all ranks; from finish() to the next add().
  virtual std::span<const float> sum(std::size_t gradient) const = 0;
};

}  // namespace edgelab::train
