#pragma once

#include <cstddef>
#include <span>

namespace edgelab::train {

// The loops of optimizer and average over one block. Arrays don't overlap. The compiler makes vectors of all of them.

// In double, in an order that depends on the size alone.
double sum_of_squares(std::span<const float> values);

struct SgdUpdate {
  float scale, decay, momentum, rate;  // scale: of the gradient
};
void update_sgd(const SgdUpdate& factors, std::size_t size, const float* gradient, float* values);
void update_sgd_momentum(const SgdUpdate& factors, std::size_t size, const float* gradient, float* values, float* buffer);
void update_sgd_nesterov(const SgdUpdate& factors, std::size_t size, const float* gradient, float* values, float* buffer);

struct AdamWUpdate {
  float scale;           // of the gradient
  float shrink;          // 1 − rate · decay
  float new_mean;        // 1 − beta1
  float keep_square, new_square;  // beta2, 1 − beta2
  float square_correction;        // 1 / √(1 − beta2^step)
  float epsilon;
  float rate;                     // / (1 − beta1^step)
};
void update_adamw(const AdamWUpdate& factors, std::size_t size, const float* gradient, float* values, float* mean, float* square);

// average += share · (values − average)
void update_average(float share, std::size_t size, const float* values, float* average);

}  // namespace edgelab::train
