#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/tile_gemm/requantize.hpp"

// The parts of integer attention that are not products, vectorised for the widest instruction set of the machine (Highway).
namespace edgelab::kernels {

// Rows of u8 as s8 around 128: to = from − 128. `sums`, if not null: of each row of `to`.
struct CenteredRows {
  const std::uint8_t* from = nullptr;
  std::int64_t from_ld = 0;
  std::int64_t rows = 0, width = 0;
  std::int8_t* to = nullptr;  // [rows][width]
  std::int32_t* sums = nullptr;
};
void center_rows(const CenteredRows& rows);

// Some queries against some keys: scores + key_terms are right but for a number a row, which a softmax does not see.
struct IntegerScores {
  const std::int32_t* scores = nullptr;  // [rows][ld]
  std::int64_t ld = 0;
  const std::int32_t* key_terms = nullptr;  // [columns]
  std::int64_t rows = 0, columns = 0;
};
// maximum[row] becomes the row's largest score, or stays, if it is larger and this is not the first tile.
void raise_maxima(const IntegerScores& tile, bool first, std::int32_t* maximum);
// weights [rows][weight_ld] = round(255 · 2^((score − maximum) · factor)), zeros from `columns` to `padded`; their sum is added to
// sum[row].
void weigh_scores(const IntegerScores& tile, const std::int32_t* maximum, float factor, std::uint8_t* weights, std::int64_t weight_ld, std::int64_t padded,
                  std::int32_t* sum);

// The end of `rows` queries of one head: y [row][d] = f32(sums[row][d] + term[row]) · factor[row], as f32 or as u8.
struct WeighedValues {
  const std::int32_t* sums = nullptr;  // [rows][width]
  const std::int32_t* term = nullptr;
  const float* factor = nullptr;
  std::int64_t rows = 0, width = 0;
  void* y = nullptr;
  std::int64_t y_ld = 0;
  const tile_gemm::Requantize* grid = nullptr;  // of a u8 y; null: y is f32
};
void finish_values(const WeighedValues& values);

}  // namespace edgelab::kernels
