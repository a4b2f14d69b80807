#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "data/options.hpp"

namespace edgelab::data {

// shapes10: a generated data set of ten classes of outlines (disk, ring, square, …). Every image has its own position,
// size, rotation, colours, textures of figure and ground, noise, and which of the two is the brighter: neither colour nor
// brightness nor any one pixel tells the class, so a linear classifier on pixels is near chance, and a small convolutional
// network above 90 % (docs/data.md has the numbers).
//
// Sample i is a function of (seed, split, i) alone, the same on every machine. Every ten samples in a row (0 to 9, 10 to
// 19, …) hold each class once.
inline constexpr int kShapesSide = 32;  // pixels
inline constexpr int kShapesClasses = 10;
inline constexpr std::int64_t kShapesTrain = 5000;  // samples unless asked otherwise
inline constexpr std::int64_t kShapesTest = 1000;
inline constexpr std::size_t kShapesBytes = 3u * kShapesSide * kShapesSide;

const std::vector<std::string>& shapes10_names();
int shapes10_label(std::uint64_t seed, Split split, std::int64_t index);
// Draws sample `index` into pixels [3, 32, 32].
void draw_shape(std::uint64_t seed, Split split, std::int64_t index, std::span<std::uint8_t, kShapesBytes> pixels);
// Provenance: changes with the seed, the split and the drawing code's version.
std::string shapes10_hash(std::uint64_t seed, Split split);

}  // namespace edgelab::data
