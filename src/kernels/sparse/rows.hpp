#pragma once

#include <cstdint>
#include <limits>

#include "kernels/sparse/packed_weight.hpp"

namespace edgelab::kernels::sparse {

// Points are the pixels or rows that vectors go along. They are worked through in whole vectors: what is read and written goes
// up to the next multiple of kPointGrain, so leading dimensions are at least that.
inline constexpr std::int64_t kPointGrain = 16;
constexpr std::int64_t whole_points(std::int64_t points) { return (points + kPointGrain - 1) / kPointGrain * kPointGrain; }

//   y[n, p] = min(high, max(low, bias[n] + Σ_k w[n, k] · x[k, p]))
struct Rows {
  const float* x = nullptr;  // [K, x_ld]
  std::int64_t x_ld = 0;
  std::int64_t points = 0;
  const float* bias = nullptr;     // [N], of the whole weight; or null
  float low = -std::numeric_limits<float>::infinity(), high = std::numeric_limits<float>::infinity();
  const float* ceiling = nullptr;  // in the place of `high`, a bound of its own for each point; or null
  float* y = nullptr;              // the first row of the first block
  std::int64_t y_ld = 0;
};

// Blocks begin … end − 1 of the weight's rows.
void multiply(const PackedWeight& weight, std::int64_t begin, std::int64_t end, const Rows& rows);

// to[c, r] = from[r, c], plus `addend` [columns, addend_ld] where there is one.
struct Turn {
  const float* from = nullptr;
  std::int64_t from_ld = 0, rows = 0, columns = 0;
  float* to = nullptr;
  std::int64_t to_ld = 0;
  const float* addend = nullptr;
  std::int64_t addend_ld = 0;
};
void turn(const Turn& turn);

}  // namespace edgelab::kernels::sparse
