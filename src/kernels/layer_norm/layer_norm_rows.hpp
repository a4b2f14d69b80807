#pragma once

#include <cstdint>

#include "core/dtype.hpp"
#include "kernels/u8_grid.hpp"

// Row by row on this thread, vectorised for the widest instruction set of the machine (Highway). What layer_norm_simd.cpp
// and the fused blocks run on their bands of rows.
namespace edgelab::kernels {

// y = (x − mean) / sqrt(variance + epsilon) · weight + bias, each row by itself. Leading dimensions count elements.
struct LayerNormRows {
  const float* x = nullptr;  // [rows, width]
  std::int64_t x_ld = 0;
  const float* weight = nullptr;  // [width]
  const float* bias = nullptr;    // [width]
  float epsilon = 0;
  void* y = nullptr;  // [rows, width], f32, bf16 (to nearest even) or u8 (what f32 would be, as U8Grid::of has it)
  DType y_type = DType::f32;
  U8Grid grid;  // of a u8 result
  std::int64_t y_ld = 0;
  std::int64_t rows = 0, width = 0;
  // Where a residual branch ends in x + something: that sum begun, total = x + addend, while x is in L1. Null: not asked for.
  float* total = nullptr;  // [rows, width], leading dimension total_ld
  std::int64_t total_ld = 0;
  const float* addend = nullptr;  // [width]; null: nothing is added
};

// Mean, then variance from the differences: nothing cancels that the input has not lost already. With n = (x − mean) /
// sqrt(variance + epsilon) the error is at most kLayerNormError · (1 + |mean| / deviation) · (1 + |n|) · |weight| before y is
// rounded to its type: a test measures it for widths to 1280.
void layer_norm_rows(const LayerNormRows& rows);
inline constexpr double kLayerNormError = 6e-7;

// f32 → bf16, to nearest even; a NaN stays one. Where the machine has an instruction for it, subnormal numbers become zero.
void round_rows(const float* from, std::int64_t from_ld, std::uint16_t* to, std::int64_t to_ld, std::int64_t rows, std::int64_t width);

}  // namespace edgelab::kernels
