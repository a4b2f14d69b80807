#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/random.hpp"
#include "data/augment.hpp"

namespace edgelab::data {

// mixup (Zhang, Cisse, Dauphin, Lopez-Paz 2018) and CutMix (Yun and others 2019), as timm does them by batch: one setting a
// global batch, sample i of n with sample n - 1 - i.
struct Mix {
  enum class Kind { none, mixup, cutmix };
  Kind kind = Kind::none;
  float share = 1.0f;                                // of the sample itself, in its target, and with mixup in its pixels
  int top = 0, bottom = 0, left = 0, right = 0;      // CutMix: the box, without its last row and column, that the partner gives
};

inline constexpr double kMixupAlpha = 0.8;   // share ~ Beta(0.8, 0.8)
inline constexpr double kCutmixAlpha = 1.0;  // before the box is cut off at the borders

// For images of `size` pixels a side.
Mix draw_mix(const Augmentations& wanted, CounterRandom random, int size);

// A number of Beta(alpha, alpha), 0 < alpha ≤ 1 (Jöhnk 1964), rounded to a multiple of 2^-20: machines whose pow() differs
// in its last digit then draw the same.
double draw_beta(double alpha, CounterRandom& random);

// Both [3, size, size]. They must not overlap.
void mix_images(const Mix& mix, int size, std::span<float> image, std::span<const float> partner);

// target [classes] of a sample of class `label` whose partner has `partner_label`. Smoothing s (Szegedy and others 2016)
// leaves 1 - s to the labels and spreads s evenly over all classes. The sum is 1.
void soft_target(const Mix& mix, std::int32_t label, std::int32_t partner_label, double smoothing, std::span<float> target);

}  // namespace edgelab::data
