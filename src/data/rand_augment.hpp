#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "core/random.hpp"
#include "data/pixels.hpp"

namespace edgelab::data {

// RandAugment (Cubuk, Zoph, Shlens, Le 2019) as torchvision's transforms.RandAugment does it to 8-bit tensors: nearest
// neighbour, black where the image was moved away.

inline constexpr int kMagnitudes = 31;  // levels: 0 to 30

// One operation of its list.
struct ImageOp {
  std::string_view name;
  // Its strength at a level of the lower half, below 15, of an image of that size; null: it has none.
  double (*magnitude)(int level, int height, int width);
  bool is_signed;  // the strength is negated by a coin
  void (*apply)(Pixels& image, double magnitude, std::vector<std::uint8_t>& scratch);
};

std::span<const ImageOp> image_ops();

// torchvision's defaults: two operations, one after the other, each drawn from the whole list, at 9 of 30.
inline constexpr int kRandAugmentOps = 2;
inline constexpr int kRandAugmentLevel = 9;

// `scratch` is memory to be used again in the next call.
void rand_augment(Pixels& image, CounterRandom& random, std::vector<std::uint8_t>& scratch);

}  // namespace edgelab::data
