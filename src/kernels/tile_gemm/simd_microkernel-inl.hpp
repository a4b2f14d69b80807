// Included once for every instruction set, so the guard is Highway's toggle and not `#pragma once`.
#if defined(EDGELAB_TILE_GEMM_SIMD_MICROKERNEL_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef EDGELAB_TILE_GEMM_SIMD_MICROKERNEL_INL
#undef EDGELAB_TILE_GEMM_SIMD_MICROKERNEL_INL
#else
#define EDGELAB_TILE_GEMM_SIMD_MICROKERNEL_INL
#endif

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include <hwy/highway.h>
#include "kernels/tile_gemm/simd_epilogue-inl.hpp"
#include "kernels/tile_gemm/simd_lanes-inl.hpp"
#include "kernels/tile_gemm/simd_operands-inl.hpp"
#include "kernels/tile_gemm/simd_tile-inl.hpp"

// A tile of MR rows × NV vectors of C stays in registers while K goes by. NV is up to 4 where there are 32 vector
// registers (24 sums, 4 of B, 1 of A) and up to 2 where there are 16. A step of K costs NV loads of B and MR broadcasts of
// A for MR·NV multiply-adds, so that even the 2-row tile at the end of M is bound by arithmetic. The sums are spelled out
// because vectors of Arm SVE have no size and can't stand in arrays or structs.
HWY_BEFORE_NAMESPACE();
namespace edgelab::kernels::tile_gemm::HWY_NAMESPACE {

template <int NV, class VB> HWY_INLINE void row_step(VB a, VB b0, VB b1, VB b2, VB b3, V& c0, V& c1, V& c2, V& c3) {
  multiply_add(a, b0, c0);
  if constexpr (NV > 1) multiply_add(a, b1, c1);
  if constexpr (NV > 2) multiply_add(a, b2, c2);
  if constexpr (NV > 3) multiply_add(a, b3, c3);
}

template <int MR, int NV, class Rows, class VB>
HWY_INLINE void step(const Rows& a, std::int64_t k, VB b0, VB b1, VB b2, VB b3, EDGELAB_SUM_PARAMETERS) {
  row_step<NV>(a.at(0, k), b0, b1, b2, b3, c00, c01, c02, c03);
  if constexpr (MR > 1) row_step<NV>(a.at(1, k), b0, b1, b2, b3, c10, c11, c12, c13);
  if constexpr (MR > 2) row_step<NV>(a.at(2, k), b0, b1, b2, b3, c20, c21, c22, c23);
  if constexpr (MR > 3) row_step<NV>(a.at(3, k), b0, b1, b2, b3, c30, c31, c32, c33);
  if constexpr (MR > 4) row_step<NV>(a.at(4, k), b0, b1, b2, b3, c40, c41, c42, c43);
  if constexpr (MR > 5) row_step<NV>(a.at(5, k), b0, b1, b2, b3, c50, c51, c52, c53);
}

template <int MR, int NV, class Rows> HWY_INLINE void multiply_f32(const Tile& t, std::int64_t batch, EDGELAB_SUM_PARAMETERS) {
  const Rows a{static_cast<const float*>(t.a) + batch * t.a_step, t.lda};
  const float* b = t.b + batch * t.b_step;
  const std::int64_t width = NV * static_cast<std::int64_t>(hn::Lanes(D()));
  const std::byte* next = t.next;
  std::int64_t k = 0;
  for (; next < t.next_end && k + kFetchEvery <= t.k; fetch_ahead(next, t.next_end, t.next_lines)) {
    for (int i = 0; i < kFetchEvery; ++i, ++k, b += width) {
      step<MR, NV>(a, k, b_f32<NV>(b, 0), b_f32<NV>(b, 1), b_f32<NV>(b, 2), b_f32<NV>(b, 3), EDGELAB_SUMS);
    }
  }
  for (; k < t.k; ++k, b += width) {
    step<MR, NV>(a, k, b_f32<NV>(b, 0), b_f32<NV>(b, 1), b_f32<NV>(b, 2), b_f32<NV>(b, 3), EDGELAB_SUMS);
  }
}

// One word of K: two products. In f32 the first ones of all rows come before the second ones, so that B needs no more
// registers than with f32; its words are in L1 when they are read again.
template <int MR, int NV, Products kProducts, class Pairs> HWY_INLINE void step_bf16(const Pairs& a, std::int64_t k, const float* b, EDGELAB_SUM_PARAMETERS) {
#if EDGELAB_BF16_PAIRS
  if constexpr (kProducts == Products::bf16_pairs) {
    return step<MR, NV>(a, k, b_pairs<NV>(b, 0), b_pairs<NV>(b, 1), b_pairs<NV>(b, 2), b_pairs<NV>(b, 3), EDGELAB_SUMS);
  }
#endif
  step<MR, NV>(FirstRows<Pairs>{a}, k, first_of(b_pairs<NV>(b, 0)), first_of(b_pairs<NV>(b, 1)), first_of(b_pairs<NV>(b, 2)),
               first_of(b_pairs<NV>(b, 3)), EDGELAB_SUMS);
  step<MR, NV>(SecondRows<Pairs>{a}, k, second_of(b_pairs<NV>(b, 0)), second_of(b_pairs<NV>(b, 1)), second_of(b_pairs<NV>(b, 2)),
               second_of(b_pairs<NV>(b, 3)), EDGELAB_SUMS);
}

template <int MR, int NV, Products kProducts> HWY_INLINE void multiply_bf16(const Tile& t, std::int64_t batch, EDGELAB_SUM_PARAMETERS) {
  const auto* a = static_cast<const std::uint16_t*>(t.a) + batch * t.a_step;
  const float* b = t.b + batch * t.b_step;
  const std::int64_t width = NV * static_cast<std::int64_t>(hn::Lanes(D()));
  const std::int64_t pairs = t.whole_pairs;
  const std::byte* next = t.next;
  std::int64_t k = 0;
  for (; next < t.next_end && k + kFetchEvery <= pairs; fetch_ahead(next, t.next_end, t.next_lines)) {
    for (int i = 0; i < kFetchEvery; ++i, ++k, b += width) step_bf16<MR, NV, kProducts>(PairRows{a, t.pair_row, t.pair_step}, k, b, EDGELAB_SUMS);
  }
  for (; k < pairs; ++k, b += width) step_bf16<MR, NV, kProducts>(PairRows{a, t.pair_row, t.pair_step}, k, b, EDGELAB_SUMS);
  if (2 * pairs < t.k) step_bf16<MR, NV, kProducts>(SingleRows{a, t.lda}, pairs, b, EDGELAB_SUMS);
}

template <int MR, int NV, Products kProducts, class Rows> HWY_INLINE void step_quads(const Rows& a, std::int64_t k, const float* b, EDGELAB_SUM_PARAMETERS) {
#if EDGELAB_VNNI
  if constexpr (kProducts == Products::byte_quads) {
    const auto quads = [&](int v) HWY_ATTR { return NativeQuads{b_quads<NV>(b, v)}; };
    return step<MR, NV>(NativeRows<Rows>{a}, k, quads(0), quads(1), quads(2), quads(3), EDGELAB_SUMS);
  }
#endif
  step<MR, NV>(a, k, b_quads<NV>(b, 0), b_quads<NV>(b, 1), b_quads<NV>(b, 2), b_quads<NV>(b, 3), EDGELAB_SUMS);
}

template <int MR, int NV, Products kProducts> HWY_INLINE void multiply_quads(const Tile& t, std::int64_t batch, EDGELAB_SUM_PARAMETERS) {
  const auto* a = static_cast<const std::uint8_t*>(t.a) + batch * t.a_step;
  const float* b = t.b + batch * t.b_step;
  const std::int64_t width = NV * static_cast<std::int64_t>(hn::Lanes(D()));
  const std::int64_t quads = t.k / 4;
  const std::byte* next = t.next;
  std::int64_t k = 0;
  for (; next < t.next_end && k + kFetchEvery <= quads; fetch_ahead(next, t.next_end, t.next_lines)) {
    for (int i = 0; i < kFetchEvery; ++i, ++k, b += width) step_quads<MR, NV, kProducts>(QuadRows{a, t.lda}, k, b, EDGELAB_SUMS);
  }
  for (; k < quads; ++k, b += width) step_quads<MR, NV, kProducts>(QuadRows{a, t.lda}, k, b, EDGELAB_SUMS);
  if (4 * quads < t.k) step_quads<MR, NV, kProducts>(PartRows{a, t.lda, t.k - 4 * quads}, quads, b, EDGELAB_SUMS);
}

// What the s32 sums of vector v of row r begin with.
template <int NV> HWY_INLINE V start_whole(const Tile& t, int row, int v) {
  const std::size_t lanes = hn::Lanes(D()), count = v == NV - 1 ? t.last : lanes;
  const std::int64_t column = v * static_cast<std::int64_t>(lanes);
  VI sum = t.offset == nullptr ? hn::Zero(Whole()) : load_part(t.offset + column, count);
  if (t.old_c != nullptr) sum = hn::Add(sum, load_part(reinterpret_cast<const std::int32_t*>(t.old_c) + row * t.old_ld + column, count));
  return hn::BitCast(D(), sum);
}

// What vector v of row r begins with.
template <int NV> HWY_INLINE V start(const Tile& t, int row, int v) {
  const std::size_t lanes = hn::Lanes(D());
  const std::size_t count = v == NV - 1 ? t.last : lanes;
  const std::int64_t column = v * static_cast<std::int64_t>(lanes);
  V sum = t.bias == nullptr ? hn::Zero(D()) : load_part(t.bias + column, count);
  if (t.residual != nullptr) sum = hn::Add(sum, load_part(t.residual + row * t.residual_ld + column, count));
  if (t.old_c != nullptr) sum = hn::Add(sum, load_part(t.old_c + row * t.old_ld + column, count));
  return sum;
}

template <int NV, Products kProducts> HWY_INLINE void start_row(const Tile& t, int row, V& c0, V& c1, V& c2, V& c3) {
  if constexpr (in_s32(kProducts)) {
    c0 = start_whole<NV>(t, row, 0);
    if constexpr (NV > 1) c1 = start_whole<NV>(t, row, 1);
    if constexpr (NV > 2) c2 = start_whole<NV>(t, row, 2);
    if constexpr (NV > 3) c3 = start_whole<NV>(t, row, 3);
    return;
  }
  c0 = start<NV>(t, row, 0);
  if constexpr (NV > 1) c1 = start<NV>(t, row, 1);
  if constexpr (NV > 2) c2 = start<NV>(t, row, 2);
  if constexpr (NV > 3) c3 = start<NV>(t, row, 3);
}

// Vector v of row r on C's grid, yet to be rounded.
template <int NV> HWY_INLINE V scaled(const Tile& t, int row, int v, V sum) {
  const std::size_t lanes = hn::Lanes(D()), count = v == NV - 1 ? t.last : lanes;
  const std::int64_t column = v * static_cast<std::int64_t>(lanes);
  const V scale = t.scale_step == 0 ? hn::Set(D(), t.scale[0]) : load_part(t.scale + column, count);
  const V f = hn::Mul(hn::ConvertTo(D(), hn::BitCast(Whole(), sum)), scale);
  return t.byte_residual == nullptr ? f : add_u8(t.requantize, load_bytes(t.byte_residual + row * t.residual_ld + column, count), f);
}

template <int NV> HWY_INLINE void store_u8_row(const Tile& t, int row, V c0, V c1, V c2, V c3) {
  const std::size_t lanes = hn::Lanes(D());
  std::uint8_t* out = t.byte_out + row * t.out_ld;
  c0 = scaled<NV>(t, row, 0, c0);
  if constexpr (NV > 1) c1 = scaled<NV>(t, row, 1, c1);
  if constexpr (NV > 2) c2 = scaled<NV>(t, row, 2, c2);
  if constexpr (NV > 3) c3 = scaled<NV>(t, row, 3, c3);
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3
  if constexpr (NV > 1) {  // one vector has fewer instructions by itself
    const __m512i bytes = to_u8_in_order(t.requantize, c0, c1, NV > 2 ? c2 : c1, NV > 3 ? c3 : c1);
    const std::size_t count = (NV - 1) * lanes + t.last;
    if (NV == 4 && t.last == lanes) return _mm512_storeu_si512(out, bytes);
    if (NV == 2 && t.last == lanes) return _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), _mm512_castsi512_si256(bytes));
    return _mm512_mask_storeu_epi8(out, ~__mmask64{0} >> (64 - count), bytes);
  }
#elif EDGELAB_NEON
  return store_first(to_u8_in_order(t.requantize, c0, NV > 1 ? c1 : c0, NV > 2 ? c2 : c0, NV > 3 ? c3 : c0), out, (NV - 1) * lanes + t.last);
#endif
  store_bytes(to_u8(t.requantize, c0), out, NV == 1 ? t.last : lanes);
  if constexpr (NV > 1) store_bytes(to_u8(t.requantize, c1), out + lanes, NV == 2 ? t.last : lanes);
  if constexpr (NV > 2) store_bytes(to_u8(t.requantize, c2), out + 2 * lanes, NV == 3 ? t.last : lanes);
  if constexpr (NV > 3) store_bytes(to_u8(t.requantize, c3), out + 3 * lanes, t.last);
}

template <int NV, Products kProducts> HWY_INLINE void store_row(const Tile& t, int row, V c0, V c1, V c2, V c3) {
  if constexpr (in_s32(kProducts)) {
    if (t.byte_out != nullptr) return store_u8_row<NV>(t, row, c0, c1, c2, c3);
  }
  const std::size_t lanes = hn::Lanes(D());
  float* out = t.out + row * t.out_ld;
  if (t.activation != Activation::none) {
    c0 = clamp(t.activation, c0);
    if constexpr (NV > 1) c1 = clamp(t.activation, c1);
    if constexpr (NV > 2) c2 = clamp(t.activation, c2);
    if constexpr (NV > 3) c3 = clamp(t.activation, c3);
  }
  if (t.narrow_out != nullptr) {
    std::uint16_t* narrow = t.narrow_out + row * t.out_ld;
    store_rounded(c0, narrow, NV == 1 ? t.last : lanes, t.natively);
    if constexpr (NV > 1) store_rounded(c1, narrow + lanes, NV == 2 ? t.last : lanes, t.natively);
    if constexpr (NV > 2) store_rounded(c2, narrow + 2 * lanes, NV == 3 ? t.last : lanes, t.natively);
    if constexpr (NV > 3) store_rounded(c3, narrow + 3 * lanes, t.last, t.natively);
    return;
  }
  if (t.streams) {
    hn::Stream(c0, D(), out);
    if constexpr (NV > 1) hn::Stream(c1, D(), out + lanes);
    if constexpr (NV > 2) hn::Stream(c2, D(), out + 2 * lanes);
    if constexpr (NV > 3) hn::Stream(c3, D(), out + 3 * lanes);
    return;
  }
  store_part(c0, out, NV == 1 ? t.last : lanes);
  if constexpr (NV > 1) store_part(c1, out + lanes, NV == 2 ? t.last : lanes);
  if constexpr (NV > 2) store_part(c2, out + 2 * lanes, NV == 3 ? t.last : lanes);
  if constexpr (NV > 3) store_part(c3, out + 3 * lanes, t.last);
}

template <int MR, int NV, Products kProducts> HWY_INLINE void multiply_tile(const Tile& t) {
  V c00 = hn::Zero(D()), c01 = c00, c02 = c00, c03 = c00, c10 = c00, c11 = c00, c12 = c00, c13 = c00;
  V c20 = c00, c21 = c00, c22 = c00, c23 = c00, c30 = c00, c31 = c00, c32 = c00, c33 = c00;
  V c40 = c00, c41 = c00, c42 = c00, c43 = c00, c50 = c00, c51 = c00, c52 = c00, c53 = c00;
  if (t.bias != nullptr || t.residual != nullptr || t.old_c != nullptr || t.offset != nullptr) {
    start_row<NV, kProducts>(t, 0, c00, c01, c02, c03);
    if constexpr (MR > 1) start_row<NV, kProducts>(t, 1, c10, c11, c12, c13);
    if constexpr (MR > 2) start_row<NV, kProducts>(t, 2, c20, c21, c22, c23);
    if constexpr (MR > 3) start_row<NV, kProducts>(t, 3, c30, c31, c32, c33);
    if constexpr (MR > 4) start_row<NV, kProducts>(t, 4, c40, c41, c42, c43);
    if constexpr (MR > 5) start_row<NV, kProducts>(t, 5, c50, c51, c52, c53);
  }
  for (std::int64_t batch = 0; batch < t.batch; ++batch) {
#if EDGELAB_NEON
    if constexpr (kProducts == Products::f32_transposed_a) {
      multiply_transposed<MR, NV>(t, batch, EDGELAB_SUMS);
    } else if constexpr (kProducts == Products::f32 || in_s32(kProducts)) {
      multiply_lanes<MR, NV, kProducts>(t, batch, EDGELAB_SUMS);
    } else {
      multiply_bf16<MR, NV, kProducts>(t, batch, EDGELAB_SUMS);
    }
#else
    if constexpr (kProducts == Products::f32) {
      multiply_f32<MR, NV, F32Rows>(t, batch, EDGELAB_SUMS);
    } else if constexpr (kProducts == Products::f32_transposed_a) {
      multiply_f32<MR, NV, F32Columns>(t, batch, EDGELAB_SUMS);
    } else if constexpr (in_s32(kProducts)) {
      multiply_quads<MR, NV, kProducts>(t, batch, EDGELAB_SUMS);
    } else {
      multiply_bf16<MR, NV, kProducts>(t, batch, EDGELAB_SUMS);
    }
#endif
  }
  store_row<NV, kProducts>(t, 0, c00, c01, c02, c03);
  if constexpr (MR > 1) store_row<NV, kProducts>(t, 1, c10, c11, c12, c13);
  if constexpr (MR > 2) store_row<NV, kProducts>(t, 2, c20, c21, c22, c23);
  if constexpr (MR > 3) store_row<NV, kProducts>(t, 3, c30, c31, c32, c33);
  if constexpr (MR > 4) store_row<NV, kProducts>(t, 4, c40, c41, c42, c43);
  if constexpr (MR > 5) store_row<NV, kProducts>(t, 5, c50, c51, c52, c53);
}

#undef EDGELAB_HALF_VECTORS
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3
#define EDGELAB_HALF_VECTORS 1
using HalfD = hn::Half<D>;
using HalfV = hn::Vec<HalfD>;

HWY_INLINE void multiply_add_half(V a, const float* b, HalfV& c) { c = hn::MulAdd(hn::LowerHalf(HalfD(), a), hn::LoadU(HalfD(), b), c); }
#if EDGELAB_BF16_PAIRS == 2
HWY_INLINE void multiply_add_half(hn::Vec<Words> a, const float* b, HalfV& c) {
  asm("vdpbf16ps %2, %1, %0" : "+v"(c.raw) : "v"(hn::LoadU(HalfD(), b).raw), "v"(hn::LowerHalf(hn::Half<Words>(), a).raw));
}
#endif

template <int MR, class Rows, class VB>
HWY_INLINE void step_and_half(const Rows& a, std::int64_t k, VB b, const float* half, V& c0, V& c1, V& c2, V& c3, V& c4, V& c5, HalfV& h0, HalfV& h1,
                              HalfV& h2, HalfV& h3, HalfV& h4, HalfV& h5) {
  const auto row = [&](int r, V& c, HalfV& h) HWY_ATTR {
    const VB value = a.at(r, k);
    multiply_add(value, b, c);
    multiply_add_half(value, half, h);
  };
  row(0, c0, h0);
  if constexpr (MR > 1) row(1, c1, h1);
  if constexpr (MR > 2) row(2, c2, h2);
  if constexpr (MR > 3) row(3, c3, h3);
  if constexpr (MR > 4) row(4, c4, h4);
  if constexpr (MR > 5) row(5, c5, h5);
}

// A panel of a vector and a half: 24 columns are what MobileNetV2's widest images are projected to. A multiply-add of half a
// vector costs half of one on cores that have two halves of AVX-512, and no more than a whole one on others.
template <int MR, Products kProducts> HWY_INLINE void multiply_tile_and_half(const Tile& t) {
  const HalfD half;
  const auto first = [&](int r) HWY_ATTR { return start<2>(t, r < MR ? r : 0, 0); };
  const auto second = [&](int r) HWY_ATTR { return hn::LowerHalf(half, start<2>(t, r < MR ? r : 0, 1)); };
  V c0 = first(0), c1 = first(1), c2 = first(2), c3 = first(3), c4 = first(4), c5 = first(5);
  HalfV h0 = second(0), h1 = second(1), h2 = second(2), h3 = second(3), h4 = second(4), h5 = second(5);
  const auto width = 2 * static_cast<std::int64_t>(hn::Lanes(D()));
  for (std::int64_t batch = 0; batch < t.batch; ++batch) {
    const float* b = t.b + batch * t.b_step;
    const std::byte* next = t.next;
    if constexpr (in_f32(kProducts)) {
      const std::conditional_t<kProducts == Products::f32, F32Rows, F32Columns> a{static_cast<const float*>(t.a) + batch * t.a_step, t.lda};
      for (std::int64_t k = 0; k < t.k; ++k, b += width) {
        if (k % kFetchEvery == kFetchEvery - 1 && next < t.next_end) fetch_ahead(next, t.next_end, t.next_lines);
        step_and_half<MR>(a, k, b_f32<1>(b, 0), b + width / 2, c0, c1, c2, c3, c4, c5, h0, h1, h2, h3, h4, h5);
      }
    } else {
      const auto* a = static_cast<const std::uint16_t*>(t.a) + batch * t.a_step;
      const std::int64_t pairs = t.whole_pairs;
      for (std::int64_t k = 0; k < pairs; ++k, b += width) {
        step_and_half<MR>(PairRows{a, t.pair_row, t.pair_step}, k, b_pairs<1>(b, 0), b + width / 2, c0, c1, c2, c3, c4, c5, h0, h1, h2, h3, h4, h5);
      }
      if (2 * pairs < t.k) step_and_half<MR>(SingleRows{a, t.lda}, pairs, b_pairs<1>(b, 0), b + width / 2, c0, c1, c2, c3, c4, c5, h0, h1, h2, h3, h4, h5);
    }
  }
  const auto store = [&](int r, V c, HalfV h) HWY_ATTR { store_row<2, kProducts>(t, r, c, hn::ZeroExtendVector(D(), h), c, c); };
  store(0, c0, h0);
  if constexpr (MR > 1) store(1, c1, h1);
  if constexpr (MR > 2) store(2, c2, h2);
  if constexpr (MR > 3) store(3, c3, h3);
  if constexpr (MR > 4) store(4, c4, h4);
  if constexpr (MR > 5) store(5, c5, h5);
}
#else
#define EDGELAB_HALF_VECTORS 0
#endif

// Several tiles, one below the other. In one call: at K = 16 a call a tile was an eighth of the time.
template <int MR, int NV, Products kProducts, bool kHalf = false> void multiply_tiles(const Tile& first, std::int64_t tiles) {
  Tile t = first;
  constexpr bool kQuads = in_s32(kProducts);
  const std::int64_t a_bytes = kProducts == Products::f32_transposed_a ? MR * 4 : kQuads ? MR * t.lda : in_f32(kProducts) ? MR * t.lda * 4 : MR * t.pair_row * 2;
  const std::int64_t fetched = (in_f32(kProducts) ? t.k : kQuads ? t.k / 4 : t.k / 2) / kFetchEvery * 64 * t.next_lines;
  for (;;) {
#if EDGELAB_HALF_VECTORS
    if constexpr (kHalf) {
      multiply_tile_and_half<MR, kProducts>(t);
    } else {
      multiply_tile<MR, NV, kProducts>(t);
    }
#else
    multiply_tile<MR, NV, kProducts>(t);
#endif
    if (--tiles == 0) return;
    t.a = static_cast<const std::byte*>(t.a) + a_bytes;
    t.next += fetched;
    t.out += MR * t.out_ld;
    if (t.narrow_out != nullptr) t.narrow_out += MR * t.out_ld;
    if (t.byte_out != nullptr) t.byte_out += MR * t.out_ld;
    if (t.byte_residual != nullptr) t.byte_residual += MR * t.residual_ld;
    if (t.residual != nullptr) t.residual += MR * t.residual_ld;
    if (t.old_c != nullptr) t.old_c += MR * t.old_ld;
  }
}
}  // namespace edgelab::kernels::tile_gemm::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
