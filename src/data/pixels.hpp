#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "data/image.hpp"

namespace edgelab::data {

// An image of one's own, to be changed: bytes [3, height, width], as Image's.
struct Pixels {
  int height = 0;
  int width = 0;
  std::vector<std::uint8_t> bytes;

  std::size_t plane() const { return static_cast<std::size_t>(height) * static_cast<std::size_t>(width); }
  std::span<std::uint8_t> channel(int c) { return std::span(bytes).subspan(static_cast<std::size_t>(c) * plane(), plane()); }
  Image view() const { return {height, width, bytes, nullptr}; }
};

}  // namespace edgelab::data
