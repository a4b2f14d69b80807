#pragma once

#include <cmath>

#include "kernels/op.hpp"

namespace edgelab::kernels {

// A number as integers would have it, in floating point, for training that knows of its quantization:
//   s = 2^p, u = x / s + zero_point, q = clamp(round(u), low, high), y = (q − zero_point) · s
// Inputs: x of any shape, fp32, and p: [1], or [x's first extent], one an output channel of a weight. Output: as x.
struct FakeQuantize {
  static constexpr std::string_view kName = "fake_quantize";
  int zero_point = 0;
  int low = -127, high = 127;

  std::vector<TensorType> infer(std::span<const TensorType> inputs) const;
  std::int64_t flop(std::span<const TensorType> inputs, std::span<const TensorType>) const { return 4 * inputs[0].elements(); }
  std::string text() const;
  static std::span<const Implementation> implementations();
};

// Its gradient as if rounding were not there (straight through: Y. Bengio et al., 2013), by the logarithm of the scale as
// S. Jain et al., "Trained Quantization Thresholds", MLSys 2020, made smaller as S. Esser et al., "Learned Step Size Quantization",
// ICLR 2020, have it:
//   dx = dy where low ≤ round(u) ≤ high, else 0
//   dp = ln 2 · s · Σ dy · e / √(n · high),  e = round(u) − u where that is so, else q − zero_point; n numbers share a scale
// Inputs: x, p, dy. Outputs: dx as x, dp as p. Sums are made of parts that don't depend on the number of threads.
struct FakeQuantizeBackward {
  static constexpr std::string_view kName = "fake_quantize_backward";
  FakeQuantize forward;

  std::vector<TensorType> infer(std::span<const TensorType> inputs) const;
  std::int64_t flop(std::span<const TensorType> inputs, std::span<const TensorType>) const { return 8 * inputs[0].elements(); }
  std::string text() const { return forward.text(); }
  static std::span<const Implementation> implementations();
};

// The factor of a scale's gradient.
inline float scale_gradient_factor(float scale, std::int64_t numbers, int high) {
  return static_cast<float>(std::log(2.0) * static_cast<double>(scale) / std::sqrt(static_cast<double>(numbers) * high));
}

Offer fake_quantize_simd(const CallSite& site);  // by the team, plain layouts
Offer fake_quantize_reference(const CallSite& site);
Offer fake_quantize_backward_simd(const CallSite& site);
Offer fake_quantize_backward_reference(const CallSite& site);

}  // namespace edgelab::kernels
