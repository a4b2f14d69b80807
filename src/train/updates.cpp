// CMakeLists.txt forbids fused products and sums here, which not every machine has, and says that nobody reads errno after a
// root, so that roots are vectorised.
#include "train/updates.hpp"

#include <cmath>

namespace edgelab::train {

double sum_of_squares(std::span<const float> values) {
  constexpr std::size_t kLanes = 8;
  double sums[kLanes] = {};
  const std::size_t whole = values.size() / kLanes * kLanes;
  for (std::size_t i = 0; i < whole; i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const double value = static_cast<double>(values[i + lane]);
      sums[lane] += value * value;
    }
  }
  for (std::size_t i = whole; i < values.size(); ++i) {
    const double value = static_cast<double>(values[i]);
    sums[i - whole] += value * value;
  }
  double sum = 0.0;
  for (const double each : sums) sum += each;
  return sum;
}

void update_sgd(const SgdUpdate& factors, std::size_t size, const float* __restrict gradient, float* __restrict values) {
  const auto [scale, decay, momentum, rate] = factors;
  for (std::size_t i = 0; i < size; ++i) values[i] -= rate * (gradient[i] * scale + decay * values[i]);
}

void update_sgd_momentum(const SgdUpdate& factors, std::size_t size, const float* __restrict gradient, float* __restrict values,
                         float* __restrict buffer) {
  const auto [scale, decay, momentum, rate] = factors;
  for (std::size_t i = 0; i < size; ++i) {
    buffer[i] = momentum * buffer[i] + (gradient[i] * scale + decay * values[i]);
    values[i] -= rate * buffer[i];
  }
}

void update_sgd_nesterov(const SgdUpdate& factors, std::size_t size, const float* __restrict gradient, float* __restrict values,
                         float* __restrict buffer) {
  const auto [scale, decay, momentum, rate] = factors;
  for (std::size_t i = 0; i < size; ++i) {
    const float change = gradient[i] * scale + decay * values[i];
    buffer[i] = momentum * buffer[i] + change;
    values[i] -= rate * (change + momentum * buffer[i]);
  }
}

void update_adamw(const AdamWUpdate& factors, std::size_t size, const float* __restrict gradient, float* __restrict values,
                  float* __restrict mean, float* __restrict square) {
  const auto [scale, shrink, new_mean, keep_square, new_square, square_correction, epsilon, rate] = factors;
  for (std::size_t i = 0; i < size; ++i) {
    const float change = gradient[i] * scale;
    mean[i] += new_mean * (change - mean[i]);
    square[i] = keep_square * square[i] + new_square * change * change;
    values[i] = shrink * values[i] - rate * mean[i] / (std::sqrt(square[i]) * square_correction + epsilon);
  }
}

void update_average(float share, std::size_t size, const float* __restrict values, float* __restrict average) {
  for (std::size_t i = 0; i < size; ++i) average[i] += share * (values[i] - average[i]);
}

}  // namespace edgelab::train
