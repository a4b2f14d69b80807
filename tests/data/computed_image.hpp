#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "data/image.hpp"

namespace edgelab::data::test {

// The formula of golden/make_golden.py.
inline Image computed_image(int height, int width) {
  auto pixels = std::make_shared<std::vector<std::uint8_t>>();
  for (int c = 0; c < 3; ++c) {
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x)
        pixels->push_back(static_cast<std::uint8_t>(x * x * 7 + y * 13 + x * y * 5 + y * y * y + c * 71));
    }
  }
  return {height, width, *pixels, pixels};
}

}  // namespace edgelab::data::test
