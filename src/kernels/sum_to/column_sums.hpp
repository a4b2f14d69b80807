#pragma once

#include <cstdint>

// Sums on whole vectors (Highway), on this thread: what gradients of biases and of broadcast operands are made of.
namespace edgelab::kernels {

// to[c] += Σ_r from[r · ld + c]. A column's rows are summed one after the other before they are added to `to`: hand thousands
// of rows in by some hundreds, and no partial sum grows so large that small terms are lost in it.
void add_column_sums(const float* from, std::int64_t ld, std::int64_t rows, std::int64_t columns, float* to);
inline constexpr std::int64_t kColumnSumRows = 256;

// to[c] = Σ_r from[r · ld + c] of any number of rows.
inline void column_sums(const float* from, std::int64_t ld, std::int64_t rows, std::int64_t columns, float* to) {
  for (std::int64_t c = 0; c < columns; ++c) to[c] = 0.0f;
  for (std::int64_t first = 0; first < rows; first += kColumnSumRows) {
    add_column_sums(from + first * ld, ld, rows - first < kColumnSumRows ? rows - first : kColumnSumRows, columns, to);
  }
}

// Σ from[i], in four chains of vectors.
float sum_of(const float* from, std::int64_t count);

}  // namespace edgelab::kernels
