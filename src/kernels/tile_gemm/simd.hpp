#pragma once

#include <cstdint>

#include "kernels/tile_gemm/tile_gemm.hpp"

// Between simd.cpp (settings, packing) and simd_targets.cpp (compiled once for every instruction set).
//
// Packed B, in words of 32 bits (an f32, or two bf16 or four s8 that follow each other along K, the first in the lowest bits):
//   panel p of `panel` columns:  [rows][panel] words, one panel after the other
//   last panel:                  [rows][tail_width] words, its columns filled with zeros up to whole vectors
// where rows = K for f32, ⌈K/2⌉ for bf16 and ⌈K/4⌉ for s8 (filled up with zero). Where a target's products lack something of A's
// bytes, a row of what that makes of each column follows all panels (simd_lanes-inl.hpp).
namespace edgelab::kernels::tile_gemm {

struct SimdState;

// What becomes of the sums of one tile when that needs more than registers. The pointers are those of the tile's first row
// and column; null for what the sums have already or the epilogue lacks.
struct Finish {
  const Epilogue* epilogue = nullptr;
  const float* scale = nullptr;
  const float* bias = nullptr;
  const void* residual = nullptr;
  const void* sums = nullptr;  // may be C itself
  DType sum_type = DType::f32;
  std::int64_t sums_ld = 0;
  void* c = nullptr;
  DType c_type = DType::f32;
  std::int64_t ldc = 0;
  std::int64_t rows = 0, columns = 0;
  const std::int32_t* offset = nullptr;  // for s32 sums
  Requantize requantize;
};

// B without the columns before `column`.
inline PlainB from_column(const PlainB& b, DType type, std::int64_t column) {
  const std::int64_t step = (b.transposed ? b.ld : 1) * static_cast<std::int64_t>(size_of(type));
  return {static_cast<const std::byte*>(b.data) + column * step, b.ld, b.transposed};
}

// Some columns of B on their way into a panel.
struct Panel {
  PlainB b;  // from the panel's first column on
  std::int64_t group = 1;  // elements in a word: 1 f32, 2 bf16, 4 s8
  std::int64_t k = 0;
  std::int64_t columns = 0, width = 0;
  std::uint32_t* to = nullptr;
  // Of s8 where the target has byte_sums: where the sums of the columns go, and whether the words are wanted as machines without
  // products of quads want them.
  std::int32_t* sums = nullptr;
  bool unzips = false;
};

// What one instruction set offers.
struct SimdTarget {
  std::int64_t lanes = 0;  // f32 in a vector
  std::int64_t panel = 0;  // columns of the widest panel
  void (*run)(const SimdState&, const Arguments&) = nullptr;
  void (*finish)(const Finish&) = nullptr;  // oneDNN's tiles end with it too
  void (*pack)(const Panel&) = nullptr;     // and so does its packing begin
  // Rows of f32 to bf16 in pairs, as an A that lies transposed has them: [⌈rows/2⌉][columns] words, to_ld apart.
  void (*pair)(const float* from, std::int64_t ld, std::int64_t rows, std::int64_t columns, std::uint32_t* to, std::int64_t to_ld) = nullptr;
  void (*round)(const float* from, std::uint16_t* to, std::int64_t count) = nullptr;  // to bf16, to nearest even
  bool bf16_pairs = false;  // whether it multiplies bf16 by instructions of their own
  bool byte_quads = false;  // the same of u8·s8
  bool byte_sums = false;   // whether it wants the sums of the columns of s8
};

constexpr std::int64_t group_of(DType b) { return b == DType::f32 ? 1 : b == DType::bf16 ? 2 : 4; }

// The widest set that the machine runs (or that a test has allowed).
SimdTarget best_simd_target();

struct SimdState {
  Settings settings;
  SimdTarget target;
  std::int64_t rows = 0;
  std::int64_t panel = 0;         // columns of a full panel of this B
  std::int64_t full_panels = 0;
  std::int64_t tail_columns = 0;  // of N, in the last panel; 0 if all are full
  std::int64_t tail_width = 0;    // tail_columns rounded up to whole vectors
  // Of one B_b: the panels, and all of it; multiples of kAlignment / 4. In between, if anything, a row of sums.
  std::int64_t panel_words = 0, packed_words = 0;
};

}  // namespace edgelab::kernels::tile_gemm
