// Included once for every instruction set, so the guard is Highway's toggle and not `#pragma once`.
#if defined(EDGELAB_TILE_GEMM_SIMD_OPERANDS_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef EDGELAB_TILE_GEMM_SIMD_OPERANDS_INL
#undef EDGELAB_TILE_GEMM_SIMD_OPERANDS_INL
#else
#define EDGELAB_TILE_GEMM_SIMD_OPERANDS_INL
#endif

#include <cstdint>
#include <cstring>

#include <hwy/highway.h>
#include "kernels/tile_gemm/quads-inl.hpp"
#include "kernels/tile_gemm/simd_epilogue-inl.hpp"

// What a tile reads of A and of B for one step of K, whatever the types, and how the two are multiplied.
HWY_BEFORE_NAMESPACE();
namespace edgelab::kernels::tile_gemm::HWY_NAMESPACE {

using Words = hn::RebindToUnsigned<D>;

// Row r, step k of A, in every lane.
struct F32Rows {
  const float* a;
  std::int64_t lda;
  HWY_INLINE V at(int row, std::int64_t k) const { return hn::Set(D(), a[row * lda + k]); }
};

// The same of an A that lies as [K, M].
struct F32Columns {
  const float* a;
  std::int64_t lda;
  HWY_INLINE V at(int row, std::int64_t k) const { return hn::Set(D(), a[k * lda + row]); }
};

// The two bf16 of step k in every word, the first in the low half.
struct PairRows {
  const std::uint16_t* a;
  std::int64_t row_step, k_step;
  HWY_INLINE hn::Vec<Words> at(int row, std::int64_t k) const {
    std::uint32_t pair;
    std::memcpy(&pair, a + row * row_step + k * k_step, sizeof pair);
    return hn::Set(Words(), pair);
  }
};

// An odd K ends in one bf16 alone; what lies behind it in memory is not read.
struct SingleRows {
  const std::uint16_t* a;
  std::int64_t lda;
  HWY_INLINE hn::Vec<Words> at(int row, std::int64_t k) const { return hn::Set(Words(), std::uint32_t{a[row * lda + 2 * k]}); }
};

// The four bytes of step k in every word.
struct QuadRows {
  const std::uint8_t* a;
  std::int64_t lda;
  HWY_INLINE VI at(int row, std::int64_t k) const {
    std::int32_t quad;
    std::memcpy(&quad, a + row * lda + 4 * k, sizeof quad);
    return hn::Set(Whole(), quad);
  }
};

// The last one to three of a K that is no multiple of four; what lies behind them is not read.
struct PartRows {
  const std::uint8_t* a;
  std::int64_t lda, left;
  HWY_INLINE VI at(int row, std::int64_t k) const {
    const std::uint8_t* from = a + row * lda + 4 * k;
    std::uint32_t quad = from[0];
    if (left > 1) quad |= static_cast<std::uint32_t>(from[1]) << 8;
    if (left > 2) quad |= static_cast<std::uint32_t>(from[2]) << 16;
    return hn::Set(Whole(), static_cast<std::int32_t>(quad));
  }
};

#if EDGELAB_VNNI
// Quads that an instruction of the machine multiplies.
struct NativeQuads {
  VI words;
};
template <class Rows> struct NativeRows {
  Rows rows;
  HWY_INLINE NativeQuads at(int row, std::int64_t k) const { return {rows.at(row, k)}; }
};
#endif

HWY_INLINE V first_of(hn::Vec<Words> pairs) { return hn::BitCast(D(), hn::ShiftLeft<16>(pairs)); }
HWY_INLINE V second_of(hn::Vec<Words> pairs) { return hn::BitCast(D(), hn::And(pairs, hn::Set(Words(), 0xFFFF0000u))); }

template <class Pairs> struct FirstRows {
  Pairs pairs;
  HWY_INLINE V at(int row, std::int64_t k) const { return first_of(pairs.at(row, k)); }
};
template <class Pairs> struct SecondRows {
  Pairs pairs;
  HWY_INLINE V at(int row, std::int64_t k) const { return second_of(pairs.at(row, k)); }
};

// The v-th vector of a row of B.
template <int NV> HWY_INLINE V b_f32(const float* b, int v) {
  return hn::Load(D(), b + (v < NV ? v : 0) * static_cast<std::int64_t>(hn::Lanes(D())));
}
template <int NV> HWY_INLINE hn::Vec<Words> b_pairs(const float* b, int v) { return hn::BitCast(Words(), b_f32<NV>(b, v)); }

template <int NV> HWY_INLINE VI b_quads(const float* b, int v) { return hn::BitCast(Whole(), b_f32<NV>(b, v)); }

HWY_INLINE void multiply_add(V a, V b, V& c) { c = hn::MulAdd(a, b, c); }
HWY_INLINE void multiply_add(VI a, VI b, V& c) { c = hn::BitCast(D(), dot(a, b, hn::BitCast(Whole(), c))); }
#if EDGELAB_VNNI
HWY_INLINE void multiply_add(NativeQuads a, NativeQuads b, V& c) { c = hn::BitCast(D(), dot_natively(a.words, b.words, hn::BitCast(Whole(), c))); }
#endif

#if EDGELAB_BF16_PAIRS == 2
HWY_INLINE void multiply_add(hn::Vec<Words> a, hn::Vec<Words> b, V& c) { asm("vdpbf16ps %2, %1, %0" : "+v"(c.raw) : "v"(b.raw), "v"(a.raw)); }
#elif EDGELAB_BF16_PAIRS == 1
HWY_INLINE void multiply_add(hn::Vec<Words> a, hn::Vec<Words> b, V& c) {
  const hn::Repartition<hwy::bfloat16_t, D> halves;
  V unused = hn::Zero(D());  // the native forms put both products into the first sum
  c = hn::ReorderWidenMulAccumulate(D(), hn::BitCast(halves, a), hn::BitCast(halves, b), c, unused);
}
#endif

}  // namespace edgelab::kernels::tile_gemm::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
