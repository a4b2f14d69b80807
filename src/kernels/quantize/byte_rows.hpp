#pragma once

#include <cstdint>

#include "kernels/u8_grid.hpp"

namespace edgelab::kernels {

// f32 onto a grid, each as U8Grid::of has it, and back. A NaN becomes some byte of the grid.
void quantize_rows(const float* from, std::int64_t from_ld, const U8Grid& grid, std::uint8_t* to, std::int64_t to_ld, std::int64_t rows, std::int64_t width);
inline void quantize_row(const float* x, std::int64_t count, const U8Grid& grid, std::uint8_t* y) { quantize_rows(x, 0, grid, y, 0, 1, count); }
void dequantize_row(const std::uint8_t* x, std::int64_t count, const U8Grid& grid, float* y);

// Pixels of up to four planes, `plane` floats apart, onto the grid and beside each other: four bytes a pixel, those of planes that
// there are not being zero.
void quantize_pixels(const float* planes, std::int64_t plane, std::int64_t channels, std::int64_t count, const U8Grid& grid, std::uint8_t* y);

// sums[c] = Σ over `pixels` of x[pixel, c], each `channels` bytes behind the one before.
void sum_pixels(const std::uint8_t* x, std::int64_t pixels, std::int64_t pixel, std::int64_t channels, std::int32_t* sums);

}  // namespace edgelab::kernels
