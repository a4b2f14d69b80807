#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "run_op.hpp"

// Gradients as their definition has them, from the forward reference.
namespace edgelab::kernels::testing {

// Of Σ weights · first output of `forward` by the reference.
inline double weighted_sum(const Op& forward, const std::vector<Tensor>& inputs, const Tensor& weights) {
  const Tensor y = evaluate_reference(forward, inputs).front();
  double sum = 0;
  for (std::size_t i = 0; i < y.as<float>().size(); ++i) sum += static_cast<double>(y.as<float>()[i]) * static_cast<double>(weights.as<float>()[i]);
  return sum;
}

// `got` is d(Σ weights · forward's first output) / d(inputs[which]): each number is moved by `distance` both ways.
inline void expect_finite_differences(const Op& forward, const std::vector<Tensor>& inputs, std::size_t which, const Tensor& weights, const Tensor& got,
                                      float distance, double tolerance, const std::string& what) {
  ASSERT_EQ(got.shape(), inputs[which].shape()) << what;
  double largest = 0;
  for (std::size_t i = 0; i < got.as<float>().size(); ++i) {
    const auto moved = [&](float by) {
      std::vector<Tensor> changed = inputs;
      changed[which] = inputs[which].clone();
      changed[which].as<float>()[i] += by;
      return std::pair(weighted_sum(forward, changed, weights), static_cast<double>(changed[which].as<float>()[i]));
    };
    const auto [up, high] = moved(distance);
    const auto [down, low] = moved(-distance);
    ASSERT_NEAR(got.as<float>()[i], (up - down) / (high - low), tolerance) << what << ", input " << which << ", element " << i;
    largest = std::max(largest, std::abs(static_cast<double>(got.as<float>()[i])));
  }
  EXPECT_GT(largest, 20 * tolerance) << what << ": gradients as small as the tolerance show nothing";
}

// The same with a distance that suits smooth functions of numbers around one.
inline void expect_derivative(const Op& forward, const std::vector<Tensor>& inputs, std::size_t which, const Tensor& weights, const Tensor& got,
                              double tolerance, const std::string& what, float distance = 0.01f) {
  expect_finite_differences(forward, inputs, which, weights, got, distance, tolerance, what);
}

}  // namespace edgelab::kernels::testing
