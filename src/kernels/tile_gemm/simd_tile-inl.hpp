// Included once for every instruction set, so the guard is Highway's toggle and not `#pragma once`.
#if defined(EDGELAB_TILE_GEMM_SIMD_TILE_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef EDGELAB_TILE_GEMM_SIMD_TILE_INL
#undef EDGELAB_TILE_GEMM_SIMD_TILE_INL
#else
#define EDGELAB_TILE_GEMM_SIMD_TILE_INL
#endif

#include <cstddef>
#include <cstdint>

#include <hwy/highway.h>
#include "kernels/tile_gemm/quads-inl.hpp"
#include "kernels/tile_gemm/requantize.hpp"
#include "kernels/tile_gemm/tile_gemm.hpp"

// What a tile of C is made from.
HWY_BEFORE_NAMESPACE();
namespace edgelab::kernels::tile_gemm::HWY_NAMESPACE {

#if (HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3) || HWY_ARCH_ARM_A64
constexpr int kVectors = 4;
#else
constexpr int kVectors = 2;
#endif
constexpr int kRows = 6;
constexpr int kFetchEvery = 4;  // steps of K

// How a tile multiplies: two bf16 at a time by an instruction of the machine, or one after the other in f32; four bytes at a time by
// an instruction, or widened, into sums of s32 that lie in the registers of f32. Arm without SDOT adds two products of bytes in 16
// bits where B has no −128 (byte_pairs).
enum class Products : std::uint8_t { f32, f32_transposed_a, bf16_pairs, bf16_in_f32, byte_quads, byte_pairs, quads_in_s16 };
constexpr bool in_s32(Products products) { return products >= Products::byte_quads; }
constexpr bool in_f32(Products products) { return products == Products::f32 || products == Products::f32_transposed_a; }
// Rows of the largest tile: without SDOT, B's vectors, broadcasts of A and products of 16 bits take the registers of two.
constexpr int most_rows(Products products) { return EDGELAB_NEON && in_s32(products) && products != Products::byte_quads ? 4 : kRows; }

// The rows of A against one panel of B, a tile of MR rows at a time. Every pointer is that of the first row and the panel's first column.
struct Tile {
  const void* a;
  std::int64_t row_bytes;  // from one row of A to the next
  std::int64_t lda, a_step;
  // Of bf16: elements from one row to the next, and from one pair along K. Transposed, an odd K's last pair is filled up.
  std::int64_t pair_row, pair_step, whole_pairs;
  const float* b;  // words
  std::int64_t b_step;
  std::int64_t k, batch;
  // What the sums of every row begin with, in whole aligned vectors: a bias, an offset of s32, or zeros.
  const float* begin;
  // What comes to it row by row; null for nothing.
  const float* residual;
  std::int64_t residual_ld;
  const float* old_c;  // C as it is, to accumulate into
  std::int64_t old_ld;
  float* out;
  std::uint16_t* narrow_out;  // if not null, sums go there as bf16
  bool natively;              // what narrows_natively() said
  std::int64_t out_ld;
  bool streams;      // whole vectors, past the caches
  std::size_t last;  // columns in the last vector
  Activation activation;
  // Of bytes, s32 sums: how they become u8 if byte_out is not null.
  std::uint8_t* byte_out;
  const float* scale;  // in whole aligned vectors
  const std::uint8_t* byte_residual;
  Requantize requantize;
  // What will be read next: brought into L2 a line now and then while this panel is multiplied. Null: nothing.
  const std::byte* next;
  const std::byte* next_end;
  std::int64_t next_lines;  // at once
};

// Some lines, one of the next panel. Weights come from memory once in a run, and the machine's own prefetching ends with each page:
// DeiT-S at batch 1 on two threads took 25.4 ms instead of 27.1 in bf16 and 48.6 instead of 49.4 in fp32 (medians by turns).
// DeiT-Ti, whose weights stay in L3, neither gains nor loses; attention, whose keys are in L2, lost a tenth, so that only
// who asks gets it.
HWY_INLINE void fetch_ahead(const std::byte*& next, const std::byte* end, std::int64_t lines) {
  for (std::int64_t i = 0; i < lines; ++i, next += 64) {
#if defined(__GNUC__)
    if (next < end) __builtin_prefetch(next, 0, 2);
#endif
  }
}

// The sums of 6 rows by 4 vectors; smaller tiles leave the others alone.
#undef EDGELAB_SUM_PARAMETERS
#undef EDGELAB_SUMS
#define EDGELAB_SUM_PARAMETERS                                                                                                      \
  V &c00, V &c01, V &c02, V &c03, V &c10, V &c11, V &c12, V &c13, V &c20, V &c21, V &c22, V &c23, V &c30, V &c31, V &c32, V &c33, \
      [[maybe_unused]] V &c40, [[maybe_unused]] V &c41, [[maybe_unused]] V &c42, [[maybe_unused]] V &c43, [[maybe_unused]] V &c50, \
      [[maybe_unused]] V &c51, [[maybe_unused]] V &c52, [[maybe_unused]] V &c53
#define EDGELAB_SUMS                                                                                                     \
  c00, c01, c02, c03, c10, c11, c12, c13, c20, c21, c22, c23, c30, c31, c32, c33, c40, c41, c42, c43, c50, c51, c52, c53

}  // namespace edgelab::kernels::tile_gemm::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
