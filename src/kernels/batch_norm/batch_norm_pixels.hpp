#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/activation/activation.hpp"

// What batch normalisation, in inference and in training, does to pixels that lie channels last: on this thread, vectorised for
// the widest instruction set of the machine (Highway). All of it is bound by memory, so that each function reads its pixels
// from there once.
namespace edgelab::kernels {

// y = activation((x − mean) · scale + bias), scale = weight / sqrt(variance + epsilon). Of activations none, relu and relu6. The
// gradient computes it again by the same operations, so that both sides of a corner are the same in both.
struct NormPixels {
  const float* x = nullptr;  // [pixels, channels]
  std::int64_t pixels = 0, channels = 0;
  const float *mean = nullptr, *scale = nullptr, *bias = nullptr;  // [channels]
  ActivationKind activation = ActivationKind::none;
};

inline float norm_scale(float weight, float variance, double epsilon) {
  return static_cast<float>(static_cast<double>(weight) / std::sqrt(static_cast<double>(variance) + epsilon));
}

constexpr bool norm_pixels_know(ActivationKind kind) { return kind != ActivationKind::gelu; }

// Pixels of a step of a second pass, which goes backwards: small beside L2.
constexpr std::int64_t cached_pixels(std::int64_t channels) { return channels > (1 << 15) ? 1 : (1 << 16) / channels; }

// past_cache: y is so large that it had better not displace what the caches hold.
void normalise_pixels(const NormPixels& norm, float* y, bool past_cache);

// Mean of, and sum of squared differences from it over, `count` values of each channel.
struct ChannelMoments {
  std::int64_t count = 0;
  double* mean = nullptr;     // [channels]
  double* squares = nullptr;  // [channels]
};

// As if the moments had been of these pixels too. Sums are those of differences from a number near the mean, a block of pixels in
// f32, the blocks in f64: nothing cancels, however far the mean is from zero.
void add_moments(const float* x, std::int64_t pixels, std::int64_t channels, ChannelMoments& moments);
// The same from moments taken elsewhere, of channels first … first + channels - 1 alone. Leaves the count to the caller.
void add_moments(const ChannelMoments& other, std::int64_t first, std::int64_t channels, const ChannelMoments& moments);

// With g = dy · activation'(…): adds Σ g to `sums` and Σ g · (x − mean) to `products`, both [channels].
void add_gradient_sums(const NormPixels& norm, const float* dy, double* sums, double* products);

// dx = g · scale + (x − mean) · slope + shift, the last two [channels]. dx may be dy.
void gradient_pixels(const NormPixels& norm, const float* dy, const float* slope, const float* shift, float* dx, bool past_cache);

}  // namespace edgelab::kernels
