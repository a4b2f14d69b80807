#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace edgelab::data {

// One 8-bit RGB image, planar: pixels [3, height, width], row-major, red first, as CIFAR's files lay it out. A view:
// `owner` keeps the bytes alive, so that an image out of a file already in memory costs no copy.
struct Image {
  int height = 0;
  int width = 0;
  std::span<const std::uint8_t> pixels;
  std::shared_ptr<const void> owner;
};

inline constexpr int kChannels = 3;

}  // namespace edgelab::data
