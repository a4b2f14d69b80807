#pragma once

#include <cstdint>

// The element-wise part of attention's gradient, compiled once for every instruction set. Tiles are transposed: a row is a
// key, a column a query, so that what belongs to a query is a vector.
namespace edgelab::kernels {

// With x = Sᵀ · factor + bias · log2 e + shift:   Pᵀ = 2^x,  dSᵀ = Pᵀ ∘ (dPᵀ − delta)
struct GradientTile {
  float* scores = nullptr;     // [keys][ld]: Sᵀ becomes Pᵀ; with `narrow` in bf16, a row beginning where it did
  float* gradients = nullptr;  // [keys][ld]: dPᵀ becomes dSᵀ
  std::int64_t ld = 0;         // whole vectors
  std::int64_t keys = 0, queries = 0;
  float factor = 1.0f;              // scale · log2 e
  const float* shift = nullptr;     // [queries] −log-sum-exp · log2 e; -∞ for a query that sees nothing
  const float* delta = nullptr;     // [queries]
  const float* bias = nullptr;      // [keys][ld], transposed; or null
  // The first query that sees the first key, counted from the tile's first; each following key is seen from one later. At
  // most 1 − keys: no mask.
  std::int64_t seen_from = 0;
  bool narrow = false;
};

struct GradientTiles {
  void (*differentiate)(const GradientTile&) = nullptr;
  // delta[i] = Σ_d a[i][d] · b[i][d]; b f32, or bf16 if `narrow`
  void (*row_products)(const float* a, const void* b, bool narrow, std::int64_t ld, std::int64_t rows, std::int64_t columns, float* delta) = nullptr;
  // to = from · factor
  void (*copy_scaled)(const float* from, std::int64_t from_ld, float* to, std::int64_t to_ld, std::int64_t rows, std::int64_t columns,
                      float factor) = nullptr;
};

GradientTiles gradient_tiles();

}  // namespace edgelab::kernels
