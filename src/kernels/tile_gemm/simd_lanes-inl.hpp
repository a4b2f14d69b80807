// Included once for every instruction set, so the guard is Highway's toggle and not `#pragma once`.
#if defined(EDGELAB_TILE_GEMM_SIMD_LANES_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef EDGELAB_TILE_GEMM_SIMD_LANES_INL
#undef EDGELAB_TILE_GEMM_SIMD_LANES_INL
#else
#define EDGELAB_TILE_GEMM_SIMD_LANES_INL
#endif

#include <cstdint>
#include <cstring>

#include <hwy/highway.h>
#include "kernels/tile_gemm/simd_operands-inl.hpp"
#include "kernels/tile_gemm/simd_tile-inl.hpp"

// The products of a tile on Arm, which multiplies a vector by one lane of another: four words of a row of A come with one load, and
// none is broadcast. A broadcast, also one that loads (LD1R), takes one of the two vector pipes of a Cortex-A72 or A76, so that a tile
// of 6 rows by 4 vectors would lose a fifth of its multiply-adds. B's vectors are loaded one by one behind the rows' words: 24 sums,
// 6 of A and 1 of B stay below 32 registers.
#if EDGELAB_NEON
HWY_BEFORE_NAMESPACE();
namespace edgelab::kernels::tile_gemm::HWY_NAMESPACE {

// ---- One vector of B by lane kLane of each row's words.

template <Products kProducts, int kLane> HWY_INLINE void multiply_lane(V b, V a, V& sum) {
  if constexpr (kProducts == Products::byte_quads) {
    asm(EDGELAB_SDOT "%0.4s, %1.16b, %2.4b[%3]" : "+w"(sum.raw) : "w"(b.raw), "w"(a.raw), "i"(kLane));
  } else {
    asm("fmla %0.4s, %1.4s, %2.s[%3]" : "+w"(sum.raw) : "w"(b.raw), "w"(a.raw), "i"(kLane));
  }
}

template <int MR, Products kProducts, int kLane>
HWY_INLINE void column(V b, V a0, V a1, V a2, V a3, V a4, V a5, V& c0, V& c1, V& c2, V& c3, V& c4, V& c5) {
  multiply_lane<kProducts, kLane>(b, a0, c0);
  if constexpr (MR > 1) multiply_lane<kProducts, kLane>(b, a1, c1);
  if constexpr (MR > 2) multiply_lane<kProducts, kLane>(b, a2, c2);
  if constexpr (MR > 3) multiply_lane<kProducts, kLane>(b, a3, c3);
  if constexpr (MR > 4) multiply_lane<kProducts, kLane>(b, a4, c4);
  if constexpr (MR > 5) multiply_lane<kProducts, kLane>(b, a5, c5);
}

// Two vectors, from word kFirst on, by one instruction. GCC 12 makes two of them.
template <int kFirst> HWY_INLINE void load_two(const float* b, V& first, V& second) {
  const auto& read = *reinterpret_cast<const float(*)[kFirst + 8]>(b);  // from b on, lest its address be computed for nothing
  asm("ldp %q0, %q1, [%2, %3]" : "=w"(first.raw), "=w"(second.raw) : "r"(b), "i"(4 * kFirst), "m"(read));
}

// `b` is the first of the vectors of a block of steps, of which this one is the kLane-th.
template <int MR, int NV, Products kProducts, int kLane>
HWY_INLINE void lane_step(const float* b, V a0, V a1, V a2, V a3, V a4, V a5, EDGELAB_SUM_PARAMETERS) {
  constexpr int kFirst = 4 * NV * kLane;
  V left, right;
  if constexpr (NV == 1) {
    column<MR, kProducts, kLane>(hn::Load(D(), b + kFirst), a0, a1, a2, a3, a4, a5, c00, c10, c20, c30, c40, c50);
    return;
  }
  load_two<kFirst>(b, left, right);
  column<MR, kProducts, kLane>(left, a0, a1, a2, a3, a4, a5, c00, c10, c20, c30, c40, c50);
  column<MR, kProducts, kLane>(right, a0, a1, a2, a3, a4, a5, c01, c11, c21, c31, c41, c51);
  if constexpr (NV == 3) column<MR, kProducts, kLane>(hn::Load(D(), b + kFirst + 8), a0, a1, a2, a3, a4, a5, c02, c12, c22, c32, c42, c52);
  if constexpr (NV == 4) {
    load_two<kFirst + 8>(b, left, right);
    column<MR, kProducts, kLane>(left, a0, a1, a2, a3, a4, a5, c02, c12, c22, c32, c42, c52);
    column<MR, kProducts, kLane>(right, a0, a1, a2, a3, a4, a5, c03, c13, c23, c33, c43, c53);
  }
}

// ---- Bytes without SDOT. Of two vectors of words, which are four bytes of each of eight columns, packing has put the first two bytes
// of all columns into the one and the other two into the other (finish_byte_panel). Products of 16 bits of the former and of the latter
// are added where that cannot overflow (`kSafe`: not both factors are ever −128), and pairs of them go to the sums of 32 bits.

template <bool kSafe> HWY_INLINE int32x4_t add_pairs(int16x8_t first, int8x8_t b23, int8x8_t a23, int32x4_t sum) {
  if constexpr (kSafe) return vpadalq_s16(sum, vmlal_s8(first, b23, a23));
  return vpadalq_s16(vpadalq_s16(sum, first), vmull_s8(b23, a23));
}
template <bool kSafe> HWY_INLINE int32x4_t add_pairs_high(int16x8_t first, int8x16_t b23, int8x16_t a23, int32x4_t sum) {
  if constexpr (kSafe) return vpadalq_s16(sum, vmlal_high_s8(first, b23, a23));
  return vpadalq_s16(vpadalq_s16(sum, first), vmull_high_s8(b23, a23));
}

HWY_INLINE int8x16_t bytes_of(V v) { return vreinterpretq_s8_f32(v.raw); }
HWY_INLINE int32x4_t words_of(V v) { return vreinterpretq_s32_f32(v.raw); }

template <bool kSafe> HWY_INLINE void add_eight(V b01, V b23, int8x16_t a01, int8x16_t a23, V& first, V& second) {
  const int32x4_t low = add_pairs<kSafe>(vmull_s8(vget_low_s8(bytes_of(b01)), vget_low_s8(a01)), vget_low_s8(bytes_of(b23)), vget_low_s8(a23), words_of(first));
  const int32x4_t high = add_pairs_high<kSafe>(vmull_high_s8(bytes_of(b01), a01), bytes_of(b23), a23, words_of(second));
  first.raw = vreinterpretq_f32_s32(low), second.raw = vreinterpretq_f32_s32(high);
}

// The last of an odd number of vectors holds both halves of its four columns.
template <bool kSafe> HWY_INLINE void add_four(V b, int8x16_t a01, int8x16_t a23, V& sum) {
  sum.raw = vreinterpretq_f32_s32(add_pairs_high<kSafe>(vmull_s8(vget_low_s8(bytes_of(b)), vget_low_s8(a01)), bytes_of(b), a23, words_of(sum)));
}

template <int NV, bool kSafe, int kLane> HWY_INLINE void pair_row(V b0, V b1, V b2, V b3, V a, V& c0, V& c1, V& c2, V& c3) {
  const int16x8_t words = vreinterpretq_s16_f32(a.raw);
  const int8x16_t a01 = vreinterpretq_s8_s16(vdupq_laneq_s16(words, 2 * kLane)), a23 = vreinterpretq_s8_s16(vdupq_laneq_s16(words, 2 * kLane + 1));
  if constexpr (NV == 1) add_four<kSafe>(b0, a01, a23, c0);
  if constexpr (NV > 1) add_eight<kSafe>(b0, b1, a01, a23, c0, c1);
  if constexpr (NV == 3) add_four<kSafe>(b2, a01, a23, c2);
  if constexpr (NV == 4) add_eight<kSafe>(b2, b3, a01, a23, c2, c3);
}

template <int MR, int NV, bool kSafe, int kLane> HWY_INLINE void pair_step(const float* b, V a0, V a1, V a2, V a3, EDGELAB_SUM_PARAMETERS) {
  constexpr int kFirst = 4 * NV * kLane;
  V b0 = hn::Zero(D()), b1 = b0, b2 = b0, b3 = b0;
  if constexpr (NV == 1) b0 = hn::Load(D(), b + kFirst);
  if constexpr (NV > 1) load_two<kFirst>(b, b0, b1);
  if constexpr (NV == 3) b2 = hn::Load(D(), b + kFirst + 8);
  if constexpr (NV == 4) load_two<kFirst + 8>(b, b2, b3);
  pair_row<NV, kSafe, kLane>(b0, b1, b2, b3, a0, c00, c01, c02, c03);
  if constexpr (MR > 1) pair_row<NV, kSafe, kLane>(b0, b1, b2, b3, a1, c10, c11, c12, c13);
  if constexpr (MR > 2) pair_row<NV, kSafe, kLane>(b0, b1, b2, b3, a2, c20, c21, c22, c23);
  if constexpr (MR > 3) pair_row<NV, kSafe, kLane>(b0, b1, b2, b3, a3, c30, c31, c32, c33);
}

// ---- All of K.

template <int MR, int NV, Products kProducts, int kLane>
HWY_INLINE void any_step(const float* b, V a0, V a1, V a2, V a3, V a4, V a5, EDGELAB_SUM_PARAMETERS) {
  if constexpr (kProducts == Products::byte_pairs || kProducts == Products::quads_in_s16) {
    pair_step<MR, NV, kProducts == Products::byte_pairs, kLane>(b, a0, a1, a2, a3, EDGELAB_SUMS);
  } else {
    lane_step<MR, NV, kProducts, kLane>(b, a0, a1, a2, a3, a4, a5, EDGELAB_SUMS);
  }
}

template <Products kProducts> HWY_INLINE V as_multiplied(V words) {
  if constexpr (in_s32(kProducts)) return hn::BitCast(D(), less_128(hn::BitCast(Whole(), words)));
  return words;
}

// The first kCount of K's words of a row.
template <int kCount> HWY_INLINE V first_words(const std::uint8_t* a) {
  if constexpr (kCount == 4) return V{vreinterpretq_f32_u8(vld1q_u8(a))};
  std::uint32_t word;
  std::memcpy(&word, a, sizeof word);
  if constexpr (kCount == 1) return V{vreinterpretq_f32_u32(vsetq_lane_u32(word, vdupq_n_u32(0), 0))};
  const uint32x4_t two = vreinterpretq_u32_u8(vcombine_u8(vld1_u8(a), vdup_n_u8(0)));
  if constexpr (kCount == 2) return V{vreinterpretq_f32_u32(two)};
  std::memcpy(&word, a + 8, sizeof word);
  return V{vreinterpretq_f32_u32(vsetq_lane_u32(word, two, 2))};
}

template <int MR, int NV, Products kProducts, int kCount>
HWY_INLINE void some_steps(const std::uint8_t* a, std::int64_t lda, const float* b, EDGELAB_SUM_PARAMETERS) {
  const auto words = [&](int r) HWY_ATTR { return as_multiplied<kProducts>(first_words<kCount>(a + (r < MR ? r : 0) * lda)); };
  const V a0 = words(0), a1 = words(1), a2 = words(2), a3 = words(3), a4 = words(4), a5 = words(5);
  any_step<MR, NV, kProducts, 0>(b, a0, a1, a2, a3, a4, a5, EDGELAB_SUMS);
  if constexpr (kCount > 1) any_step<MR, NV, kProducts, 1>(b, a0, a1, a2, a3, a4, a5, EDGELAB_SUMS);
  if constexpr (kCount > 2) any_step<MR, NV, kProducts, 2>(b, a0, a1, a2, a3, a4, a5, EDGELAB_SUMS);
  if constexpr (kCount > 3) any_step<MR, NV, kProducts, 3>(b, a0, a1, a2, a3, a4, a5, EDGELAB_SUMS);
}

template <int MR, int NV, Products kProducts> HWY_INLINE void multiply_lanes(const Tile& t, std::int64_t batch, EDGELAB_SUM_PARAMETERS) {
  constexpr bool kBytes = in_s32(kProducts);
  constexpr std::int64_t kSize = kBytes ? 1 : 4, kWidth = 4 * NV;
  const auto* a = static_cast<const std::uint8_t*>(t.a) + batch * t.a_step * kSize;
  const std::int64_t lda = t.lda * kSize, words = kBytes ? t.k / 4 : t.k, left = words % 4;
  const float* b = t.b + batch * t.b_step;
  const std::uint8_t* const fours = a + words / 4 * 16;
  const std::byte* next = t.next;
  for (; a != fours && next < t.next_end; a += 16, b += 4 * kWidth) {
    fetch_ahead(next, t.next_end, t.next_lines);
    some_steps<MR, NV, kProducts, 4>(a, lda, b, EDGELAB_SUMS);
  }
  for (; a != fours; a += 16, b += 4 * kWidth) some_steps<MR, NV, kProducts, 4>(a, lda, b, EDGELAB_SUMS);
  if (left == 1) some_steps<MR, NV, kProducts, 1>(a, lda, b, EDGELAB_SUMS);
  if (left == 2) some_steps<MR, NV, kProducts, 2>(a, lda, b, EDGELAB_SUMS);
  if (left == 3) some_steps<MR, NV, kProducts, 3>(a, lda, b, EDGELAB_SUMS);
  if (kBytes && t.k % 4 != 0) {
    const PartRows rows{a + 4 * left, lda, t.k % 4};
    const auto part = [&](int r) HWY_ATTR { return as_multiplied<kProducts>(hn::BitCast(D(), rows.at(r < MR ? r : 0, 0))); };
    any_step<MR, NV, kProducts, 0>(b + left * kWidth, part(0), part(1), part(2), part(3), part(4), part(5), EDGELAB_SUMS);
  }
}

// A that lies as [K, M]: a row is a lane.
template <int MR> HWY_INLINE void transposed_column(V b, V a0, V a1, V& c0, V& c1, V& c2, V& c3, V& c4, V& c5) {
  multiply_lane<Products::f32, 0>(b, a0, c0);
  if constexpr (MR > 1) multiply_lane<Products::f32, 1>(b, a0, c1);
  if constexpr (MR > 2) multiply_lane<Products::f32, 2>(b, a0, c2);
  if constexpr (MR > 3) multiply_lane<Products::f32, 3>(b, a0, c3);
  if constexpr (MR > 4) multiply_lane<Products::f32, 0>(b, a1, c4);
  if constexpr (MR > 5) multiply_lane<Products::f32, 1>(b, a1, c5);
}

template <int MR, int NV> HWY_INLINE void multiply_transposed(const Tile& t, std::int64_t batch, EDGELAB_SUM_PARAMETERS) {
  const auto* a = static_cast<const float*>(t.a) + batch * t.a_step;
  const float* b = t.b + batch * t.b_step;
  const std::byte* next = t.next;
  const auto two = [](const float* from) HWY_ATTR { return V{vcombine_f32(vld1_f32(from), vdup_n_f32(0))}; };
  for (std::int64_t k = 0; k < t.k; ++k, a += t.lda, b += NV * hn::Lanes(D())) {
    if (k % kFetchEvery == kFetchEvery - 1 && next < t.next_end) fetch_ahead(next, t.next_end, t.next_lines);
    const V a0 = MR > 3 ? hn::LoadU(D(), a) : MR > 1 ? two(a) : V{vdupq_n_f32(*a)}, a1 = MR > 5 ? two(a + 4) : a0;
    transposed_column<MR>(b_f32<NV>(b, 0), a0, a1, c00, c10, c20, c30, c40, c50);
    if constexpr (NV > 1) transposed_column<MR>(b_f32<NV>(b, 1), a0, a1, c01, c11, c21, c31, c41, c51);
    if constexpr (NV > 2) transposed_column<MR>(b_f32<NV>(b, 2), a0, a1, c02, c12, c22, c32, c42, c52);
    if constexpr (NV > 3) transposed_column<MR>(b_f32<NV>(b, 3), a0, a1, c03, c13, c23, c33, c43, c53);
  }
}

// ---- What A's bytes lack, 128 each: a row of 128 · Σ_k B behind the panels of bytes. In the lowest bit of a panel's: whether some byte
// of it is −128.

// Of a packed panel, which is then laid out as the products want it: by halves where the machine has no SDOT.
inline void finish_byte_panel(std::uint32_t* panel, std::int64_t rows, std::int64_t width, std::int32_t* sums, bool unzips) {
  int8x16_t least = vdupq_n_s8(0);
  for (std::int64_t column = 0; column < width; column += 4) {
    int32x4_t sum = vdupq_n_s32(0);
    for (std::int64_t row = 0; row < rows; ++row) {
      const int8x16_t b = vreinterpretq_s8_u32(vld1q_u32(panel + row * width + column));
      least = vminq_s8(least, b);
      sum = vpadalq_s16(sum, vpaddlq_s8(b));
    }
    vst1q_s32(sums + column, vshlq_n_s32(sum, 7));
  }
  if (vminvq_s8(least) == -128) {
    for (std::int64_t column = 0; column < width; ++column) sums[column] |= 1;
  }
  if (!unzips) return;
  for (std::int64_t row = 0; row < rows; ++row) {
    std::uint32_t* words = panel + row * width;
    std::int64_t column = 0;
    for (; column + 8 <= width; column += 8) {
      const uint16x8_t low = vreinterpretq_u16_u32(vld1q_u32(words + column)), high = vreinterpretq_u16_u32(vld1q_u32(words + column + 4));
      vst1q_u32(words + column, vreinterpretq_u32_u16(vuzp1q_u16(low, high)));
      vst1q_u32(words + column + 4, vreinterpretq_u32_u16(vuzp2q_u16(low, high)));
    }
    if (column == width) continue;
    const uint16x8_t last = vreinterpretq_u16_u32(vld1q_u32(words + column));
    vst1q_u32(words + column, vreinterpretq_u32_u16(vcombine_u16(vget_low_u16(vuzp1q_u16(last, last)), vget_low_u16(vuzp2q_u16(last, last)))));
  }
}

// What the sums of a panel begin with: to the offset in `begin` comes 128 · Σ_k B. `packed` is B_0, of whose columns the panel has
// those from `first` on. Returns whether no byte of the panel is −128.
inline bool begin_panel(const float* packed, const SimdState& state, std::int64_t first, std::int64_t vectors, float* begin) {
  int32x4_t all = vdupq_n_s32(0);
  for (std::int64_t batch = 0; batch < state.settings.batch; ++batch) {
    const float* sums = packed + batch * state.packed_words + state.panel_words + first;
    for (std::int64_t v = 0; v < vectors; ++v) {
      const int32x4_t lacking = vreinterpretq_s32_f32(vld1q_f32(sums + 4 * v)), so_far = vreinterpretq_s32_f32(vld1q_f32(begin + 4 * v));
      all = vorrq_s32(all, lacking);
      vst1q_f32(begin + 4 * v, vreinterpretq_f32_s32(vaddq_s32(so_far, vbicq_s32(lacking, vdupq_n_s32(1)))));
    }
  }
  return (vgetq_lane_s32(all, 0) & 1) == 0;
}

}  // namespace edgelab::kernels::tile_gemm::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif

#endif
