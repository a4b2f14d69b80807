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

template <int MR, int NV, Products kProducts, int kLane>
HWY_INLINE void lane_step(const float* b, V a0, V a1, V a2, V a3, V a4, V a5, EDGELAB_SUM_PARAMETERS) {
  column<MR, kProducts, kLane>(b_f32<NV>(b, 0), a0, a1, a2, a3, a4, a5, c00, c10, c20, c30, c40, c50);
  if constexpr (NV > 1) column<MR, kProducts, kLane>(b_f32<NV>(b, 1), a0, a1, a2, a3, a4, a5, c01, c11, c21, c31, c41, c51);
  if constexpr (NV > 2) column<MR, kProducts, kLane>(b_f32<NV>(b, 2), a0, a1, a2, a3, a4, a5, c02, c12, c22, c32, c42, c52);
  if constexpr (NV > 3) column<MR, kProducts, kLane>(b_f32<NV>(b, 3), a0, a1, a2, a3, a4, a5, c03, c13, c23, c33, c43, c53);
}

// ---- Bytes without SDOT. A vector of words holds four bytes of each of four columns; two vectors, unzipped by halves, hold the first
// two bytes of eight columns, and the other two. Products of 16 bits of the former and of the latter are added where that cannot
// overflow (`kSafe`: not both factors are ever −128), and pairs of them go to the sums of 32 bits.

template <bool kSafe> HWY_INLINE int32x4_t add_pairs(int8x8_t b01, int8x8_t b23, int8x8_t a01, int8x8_t a23, int32x4_t sum) {
  const int16x8_t first = vmull_s8(b01, a01);
  if constexpr (kSafe) return vpadalq_s16(sum, vmlal_s8(first, b23, a23));
  return vpadalq_s16(vpadalq_s16(sum, first), vmull_s8(b23, a23));
}

template <bool kSafe> HWY_INLINE int32x4_t add_pairs_high(int8x16_t b01, int8x16_t b23, int8x16_t a01, int8x16_t a23, int32x4_t sum) {
  const int16x8_t first = vmull_high_s8(b01, a01);
  if constexpr (kSafe) return vpadalq_s16(sum, vmlal_high_s8(first, b23, a23));
  return vpadalq_s16(vpadalq_s16(sum, first), vmull_high_s8(b23, a23));
}

// Eight columns: the words of two vectors.
struct Unzipped {
  int8x16_t b01, b23;
};
HWY_INLINE Unzipped unzipped(V first, V second) {
  const int16x8_t low = vreinterpretq_s16_f32(first.raw), high = vreinterpretq_s16_f32(second.raw);
  return {vreinterpretq_s8_s16(vuzp1q_s16(low, high)), vreinterpretq_s8_s16(vuzp2q_s16(low, high))};
}

template <bool kSafe> HWY_INLINE void add_eight(const Unzipped& b, int8x16_t a01, int8x16_t a23, V& first, V& second, bool both) {
  const auto add = [](V& to, int32x4_t sum) HWY_ATTR { to.raw = vreinterpretq_f32_s32(sum); };
  add(first, add_pairs<kSafe>(vget_low_s8(b.b01), vget_low_s8(b.b23), vget_low_s8(a01), vget_low_s8(a23), vreinterpretq_s32_f32(first.raw)));
  if (both) add(second, add_pairs_high<kSafe>(b.b01, b.b23, a01, a23, vreinterpretq_s32_f32(second.raw)));
}

template <int NV, bool kSafe, int kLane>
HWY_INLINE void pair_row(const Unzipped& left, const Unzipped& right, V a, V& c0, V& c1, V& c2, V& c3) {
  const int16x8_t words = vreinterpretq_s16_f32(a.raw);
  const int8x16_t a01 = vreinterpretq_s8_s16(vdupq_laneq_s16(words, 2 * kLane)), a23 = vreinterpretq_s8_s16(vdupq_laneq_s16(words, 2 * kLane + 1));
  add_eight<kSafe>(left, a01, a23, c0, c1, NV > 1);
  if constexpr (NV > 2) add_eight<kSafe>(right, a01, a23, c2, c3, NV > 3);
}

// The vectors of a step, all four columns' worth.
template <int NV> struct UnzippedStep {
  explicit HWY_INLINE UnzippedStep(const float* b)
      : left(unzipped(b_f32<NV>(b, 0), b_f32<NV>(b, 1))), right(NV > 2 ? unzipped(b_f32<NV>(b, 2), b_f32<NV>(b, NV > 3 ? 3 : 2)) : left) {}
  Unzipped left, right;
};

// ---- All of K.

template <int MR, int NV, Products kProducts, int kLane>
HWY_INLINE void any_step(const float* b, V a0, V a1, V a2, V a3, V a4, V a5, EDGELAB_SUM_PARAMETERS) {
  if constexpr (kProducts == Products::byte_pairs || kProducts == Products::quads_in_s16) {
    constexpr bool kSafe = kProducts == Products::byte_pairs;
    const UnzippedStep<NV> step(b);
    pair_row<NV, kSafe, kLane>(step.left, step.right, a0, c00, c01, c02, c03);
    if constexpr (MR > 1) pair_row<NV, kSafe, kLane>(step.left, step.right, a1, c10, c11, c12, c13);
    if constexpr (MR > 2) pair_row<NV, kSafe, kLane>(step.left, step.right, a2, c20, c21, c22, c23);
    if constexpr (MR > 3) pair_row<NV, kSafe, kLane>(step.left, step.right, a3, c30, c31, c32, c33);
  } else {
    lane_step<MR, NV, kProducts, kLane>(b, a0, a1, a2, a3, a4, a5, EDGELAB_SUMS);
  }
}

template <Products kProducts> HWY_INLINE V as_multiplied(V words) {
  if constexpr (in_s32(kProducts)) return hn::BitCast(D(), less_128(hn::BitCast(Whole(), words)));
  return words;
}

template <int MR, int NV, Products kProducts> HWY_INLINE void multiply_lanes(const Tile& t, std::int64_t batch, EDGELAB_SUM_PARAMETERS) {
  constexpr bool kBytes = in_s32(kProducts);
  constexpr std::int64_t kSize = kBytes ? 1 : 4;
  const auto* a = static_cast<const std::uint8_t*>(t.a) + batch * t.a_step * kSize;
  const std::int64_t lda = t.lda * kSize, width = NV * static_cast<std::int64_t>(hn::Lanes(D()));
  const float* b = t.b + batch * t.b_step;
  const std::byte* next = t.next;
  const auto row = [&](int r) HWY_ATTR { return a + (r < MR ? r : 0) * lda; };
  std::int64_t words = kBytes ? t.k / 4 : t.k;
  const auto four = [&](int r) HWY_ATTR { return as_multiplied<kProducts>(V{vreinterpretq_f32_u8(vld1q_u8(row(r)))}); };
  for (; words >= 4; words -= 4, a += 16, b += 4 * width) {
    if (next < t.next_end) fetch_ahead(next, t.next_end, t.next_lines);
    const V a0 = four(0), a1 = four(1), a2 = four(2), a3 = four(3), a4 = four(4), a5 = four(5);
    any_step<MR, NV, kProducts, 0>(b, a0, a1, a2, a3, a4, a5, EDGELAB_SUMS);
    any_step<MR, NV, kProducts, 1>(b + width, a0, a1, a2, a3, a4, a5, EDGELAB_SUMS);
    any_step<MR, NV, kProducts, 2>(b + 2 * width, a0, a1, a2, a3, a4, a5, EDGELAB_SUMS);
    any_step<MR, NV, kProducts, 3>(b + 3 * width, a0, a1, a2, a3, a4, a5, EDGELAB_SUMS);
  }
  const auto one = [&](int r) HWY_ATTR {
    std::uint32_t word;
    std::memcpy(&word, row(r), sizeof word);
    return as_multiplied<kProducts>(V{vreinterpretq_f32_u32(vdupq_n_u32(word))});
  };
  for (; words > 0; --words, a += 4, b += width) any_step<MR, NV, kProducts, 0>(b, one(0), one(1), one(2), one(3), one(4), one(5), EDGELAB_SUMS);
  if (kBytes && t.k % 4 != 0) {
    const PartRows rows{a, lda, t.k % 4};
    const auto part = [&](int r) HWY_ATTR { return as_multiplied<kProducts>(hn::BitCast(D(), rows.at(r < MR ? r : 0, 0))); };
    any_step<MR, NV, kProducts, 0>(b, part(0), part(1), part(2), part(3), part(4), part(5), EDGELAB_SUMS);
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

// ---- What A's bytes lack, 128 each.

// What the sums of a panel begin with: offset (or null) + 128 · Σ_k B. Once a run, for all rows: it costs as much as one row of A.
// Returns whether no byte of B is −128.
template <bool kNatively> bool begin_panel(const float* panel, const SimdState& state, std::int64_t vectors, const std::int32_t* offset, std::int64_t columns,
                                           std::int32_t* begin) {
  int8x16_t least = vdupq_n_s8(0);
  for (std::int64_t v = 0; v < vectors; ++v) {
    int32x4_t sums = vdupq_n_s32(0);  // −128 · Σ B, or Σ B
    for (std::int64_t batch = 0; batch < state.settings.batch; ++batch) {
      const float* from = panel + batch * state.packed_words + 4 * v;
      for (std::int64_t row = 0; row < state.rows; ++row, from += 4 * vectors) {
        const int8x16_t b = vreinterpretq_s8_f32(vld1q_f32(from));
        if constexpr (kNatively) {
          sums = dot_natively(VI{vreinterpretq_s32_s8(vdupq_n_s8(-128))}, VI{vreinterpretq_s32_s8(b)}, VI{sums}).raw;
        } else {
          least = vminq_s8(least, b);
          sums = vpadalq_s16(sums, vpaddlq_s8(b));
        }
      }
    }
    const std::size_t count = columns - 4 * v < 4 ? static_cast<std::size_t>(columns - 4 * v) : 4;
    const int32x4_t first = offset == nullptr ? vdupq_n_s32(0) : load_part(offset + 4 * v, count).raw;
    vst1q_s32(begin + 4 * v, kNatively ? vsubq_s32(first, sums) : vaddq_s32(first, vshlq_n_s32(sums, 7)));
  }
  return vminvq_s8(least) > -128;
}

}  // namespace edgelab::kernels::tile_gemm::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif

#endif
