#pragma once

#include <cstdint>

#include "kernels/tile_gemm/requantize.hpp"

namespace edgelab::kernels {

// Numbers that lie as u8: real = scale · (q − zero_point). Symmetric ones have zero_point 128.
struct U8Grid {
  float scale = 1.0F;
  std::int32_t zero_point = 0;
  bool operator==(const U8Grid&) const = default;

  // What f32 numbers are multiplied by on their way onto the grid.
  float inverse() const { return static_cast<float>(1.0 / static_cast<double>(scale)); }
  tile_gemm::Requantize bounds() const { return {.zero_point = zero_point}; }
  std::uint8_t of(float real) const { return tile_gemm::to_u8(bounds(), real * inverse()); }
};

}  // namespace edgelab::kernels
