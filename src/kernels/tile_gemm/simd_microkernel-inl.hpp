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

// ---- Before and behind the sums. Whatever a tile may or may not have is asked for once for the tile: asked for each vector, begin and
// end were 23 of the 137 million instructions of a MobileNetV2 on a Cortex-A72, and on Zen 3 DeiT-Ti took 8 % longer, in fp32 and
// in int8.

// What vector v of a row has in memory. The last vector may be short; kWhole: it is not.
template <int NV, bool kWhole> HWY_INLINE V load_vector(const float* row, int v, std::size_t last) {
  const float* from = row + v * static_cast<std::int64_t>(hn::Lanes(D()));
  return kWhole || v < NV - 1 ? hn::LoadU(D(), from) : load_part(from, last);
}

template <int MR, class F> HWY_INLINE void each_row(const F& f, EDGELAB_SUM_PARAMETERS) {
  f(0, c00, c01, c02, c03);
  if constexpr (MR > 1) f(1, c10, c11, c12, c13);
  if constexpr (MR > 2) f(2, c20, c21, c22, c23);
  if constexpr (MR > 3) f(3, c30, c31, c32, c33);
  if constexpr (MR > 4) f(4, c40, c41, c42, c43);
  if constexpr (MR > 5) f(5, c50, c51, c52, c53);
}

template <int NV> HWY_INLINE V begin_vector(const Tile& t, int v) {
  return hn::Load(D(), t.begin + (v < NV ? v : 0) * static_cast<std::int64_t>(hn::Lanes(D())));
}

// A residual, or C as it is.
template <int NV, Products kProducts, bool kWhole> struct AddRows {
  const float* rows;
  std::int64_t ld;
  std::size_t last;

  HWY_INLINE V sum(V c, int row, int v) const {
    const V more = load_vector<NV, kWhole>(rows + row * ld, v, last);
    if constexpr (in_s32(kProducts)) return hn::BitCast(D(), hn::Add(hn::BitCast(Whole(), c), hn::BitCast(Whole(), more)));
    return hn::Add(c, more);
  }
  HWY_INLINE void operator()(int row, V& c0, V& c1, V& c2, V& c3) const {
    c0 = sum(c0, row, 0);
    if constexpr (NV > 1) c1 = sum(c1, row, 1);
    if constexpr (NV > 2) c2 = sum(c2, row, 2);
    if constexpr (NV > 3) c3 = sum(c3, row, 3);
  }
};

template <int MR, int NV, Products kProducts> HWY_INLINE void add_rows(const float* rows, std::int64_t ld, std::size_t last, EDGELAB_SUM_PARAMETERS) {
  if (last == hn::Lanes(D())) return each_row<MR>(AddRows<NV, kProducts, true>{rows, ld, last}, EDGELAB_SUMS);
  each_row<MR>(AddRows<NV, kProducts, false>{rows, ld, last}, EDGELAB_SUMS);
}

// relu and relu6.
template <int NV> struct Clamp {
  Activation activation;

  HWY_INLINE void operator()(int, V& c0, V& c1, V& c2, V& c3) const {
    c0 = clamp(activation, c0);
    if constexpr (NV > 1) c1 = clamp(activation, c1);
    if constexpr (NV > 2) c2 = clamp(activation, c2);
    if constexpr (NV > 3) c3 = clamp(activation, c3);
  }
};

template <int NV, bool kWhole> struct StoreRows {
  float* rows;
  std::int64_t ld;
  std::size_t last;

  HWY_INLINE void operator()(int row, V c0, V c1, V c2, V c3) const {
    const std::size_t lanes = hn::Lanes(D());
    float* out = rows + row * ld;
    const auto store = [&](V c, int v) HWY_ATTR { store_part(c, out + v * static_cast<std::int64_t>(lanes), kWhole || v < NV - 1 ? lanes : last); };
    store(c0, 0);
    if constexpr (NV > 1) store(c1, 1);
    if constexpr (NV > 2) store(c2, 2);
    if constexpr (NV > 3) store(c3, 3);
  }
};

// Whole vectors, past the caches.
template <int NV> struct StreamRows {
  float* rows;
  std::int64_t ld;

  HWY_INLINE void operator()(int row, V c0, V c1, V c2, V c3) const {
    const std::size_t lanes = hn::Lanes(D());
    float* out = rows + row * ld;
    hn::Stream(c0, D(), out);
    if constexpr (NV > 1) hn::Stream(c1, D(), out + lanes);
    if constexpr (NV > 2) hn::Stream(c2, D(), out + 2 * lanes);
    if constexpr (NV > 3) hn::Stream(c3, D(), out + 3 * lanes);
  }
};

template <int NV> struct StoreNarrow {
  std::uint16_t* rows;
  std::int64_t ld;
  std::size_t last;
  bool natively;

  HWY_INLINE void operator()(int row, V c0, V c1, V c2, V c3) const {
    const std::size_t lanes = hn::Lanes(D());
    std::uint16_t* out = rows + row * ld;
    store_rounded(c0, out, NV == 1 ? last : lanes, natively);
    if constexpr (NV > 1) store_rounded(c1, out + lanes, NV == 2 ? last : lanes, natively);
    if constexpr (NV > 2) store_rounded(c2, out + 2 * lanes, NV == 3 ? last : lanes, natively);
    if constexpr (NV > 3) store_rounded(c3, out + 3 * lanes, last, natively);
  }
};

// Sums of s32 as u8 on C's grid. All that it needs is its own: a store of bytes may change anything that is not, and would have it
// loaded again for each row.
template <int NV, bool kResidual, bool kWhole> struct StoreBytes {
  HWY_INLINE StoreBytes(const Tile& t, std::int64_t first)
      : bytes(t.byte_out + first * t.out_ld), ld(t.out_ld), residual(kResidual ? t.byte_residual + first * t.residual_ld : nullptr),
        residual_ld(t.residual_ld), last(t.last), grid(t.requantize),
        s0(scale<0>(t)), s1(scale<1>(t)), s2(scale<2>(t)), s3(scale<3>(t)) {}

  HWY_INLINE void operator()(int row, V c0, V c1, V c2, V c3) const {
    const std::size_t lanes = hn::Lanes(D()), in_last = kWhole ? lanes : last;
    std::uint8_t* out = bytes + row * ld;
    c0 = scaled<0>(row, c0, s0);
    if constexpr (NV > 1) c1 = scaled<1>(row, c1, s1);
    if constexpr (NV > 2) c2 = scaled<2>(row, c2, s2);
    if constexpr (NV > 3) c3 = scaled<3>(row, c3, s3);
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3
    if constexpr (NV > 1) {  // one vector has fewer instructions by itself
      const __m512i quads = to_u8_in_order(grid, c0, c1, NV > 2 ? c2 : c1, NV > 3 ? c3 : c1);
      const std::size_t count = (NV - 1) * lanes + in_last;
      if (NV == 4 && kWhole) return _mm512_storeu_si512(out, quads);
      if (NV == 2 && kWhole) return _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), _mm512_castsi512_si256(quads));
      return _mm512_mask_storeu_epi8(out, ~__mmask64{0} >> (64 - count), quads);
    }
#elif EDGELAB_NEON
    return store_first(to_u8_in_order(grid, c0, NV > 1 ? c1 : c0, NV > 2 ? c2 : c0, NV > 3 ? c3 : c0), out, (NV - 1) * lanes + in_last);
#endif
    store_bytes(to_u8(grid, c0), out, NV == 1 ? in_last : lanes);
    if constexpr (NV > 1) store_bytes(to_u8(grid, c1), out + lanes, NV == 2 ? in_last : lanes);
    if constexpr (NV > 2) store_bytes(to_u8(grid, c2), out + 2 * lanes, NV == 3 ? in_last : lanes);
    if constexpr (NV > 3) store_bytes(to_u8(grid, c3), out + 3 * lanes, in_last);
  }

 private:
  template <int kVector> static HWY_INLINE V scale(const Tile& t) {
    return hn::Load(D(), t.scale + (kVector < NV ? kVector : 0) * static_cast<std::int64_t>(hn::Lanes(D())));
  }
  template <int kVector> HWY_INLINE V scaled(int row, V sum, V scale) const {
    const V f = hn::Mul(hn::ConvertTo(D(), hn::BitCast(Whole(), sum)), scale);
    if constexpr (!kResidual) return f;
    const std::size_t lanes = hn::Lanes(D());
    return add_u8(grid, load_bytes(residual + row * residual_ld + kVector * static_cast<std::int64_t>(lanes), kWhole || kVector < NV - 1 ? lanes : last), f);
  }

  std::uint8_t* bytes;
  std::int64_t ld;
  const std::uint8_t* residual;
  std::int64_t residual_ld;
  std::size_t last;
  Requantize grid;
  V s0, s1, s2, s3;
};

template <int MR, int NV, bool kWhole> HWY_INLINE void store_bytes_of(const Tile& t, std::int64_t first, EDGELAB_SUM_PARAMETERS) {
  if (t.byte_residual == nullptr) return each_row<MR>(StoreBytes<NV, false, kWhole>(t, first), EDGELAB_SUMS);
  each_row<MR>(StoreBytes<NV, true, kWhole>(t, first), EDGELAB_SUMS);
}

// What K left in the registers, to where it belongs.
template <int MR, int NV, Products kProducts> HWY_INLINE void store_sums(const Tile& t, std::int64_t first, EDGELAB_SUM_PARAMETERS) {
  const bool whole = t.last == hn::Lanes(D());
  if constexpr (in_s32(kProducts)) {
    if (t.byte_out != nullptr) return whole ? store_bytes_of<MR, NV, true>(t, first, EDGELAB_SUMS) : store_bytes_of<MR, NV, false>(t, first, EDGELAB_SUMS);
  } else {
    if (t.activation != Activation::none) each_row<MR>(Clamp<NV>{t.activation}, EDGELAB_SUMS);
    if (t.narrow_out != nullptr) return each_row<MR>(StoreNarrow<NV>{t.narrow_out + first * t.out_ld, t.out_ld, t.last, t.natively}, EDGELAB_SUMS);
    if (t.streams) return each_row<MR>(StreamRows<NV>{t.out + first * t.out_ld, t.out_ld}, EDGELAB_SUMS);
  }
  float* out = t.out + first * t.out_ld;
  if (whole) return each_row<MR>(StoreRows<NV, true>{out, t.out_ld, t.last}, EDGELAB_SUMS);
  each_row<MR>(StoreRows<NV, false>{out, t.out_ld, t.last}, EDGELAB_SUMS);
}

// Rows first … first + MR of a panel; `t.a` and `t.next` are this tile's own.
template <int MR, int NV, Products kProducts> HWY_INLINE void multiply_tile(const Tile& t, std::int64_t first) {
  const V b0 = begin_vector<NV>(t, 0), b1 = begin_vector<NV>(t, 1), b2 = begin_vector<NV>(t, 2), b3 = begin_vector<NV>(t, 3);
  V c00 = b0, c01 = b1, c02 = b2, c03 = b3, c10 = b0, c11 = b1, c12 = b2, c13 = b3;
  V c20 = b0, c21 = b1, c22 = b2, c23 = b3, c30 = b0, c31 = b1, c32 = b2, c33 = b3;
  V c40 = b0, c41 = b1, c42 = b2, c43 = b3, c50 = b0, c51 = b1, c52 = b2, c53 = b3;
  if (t.residual != nullptr) add_rows<MR, NV, kProducts>(t.residual + first * t.residual_ld, t.residual_ld, t.last, EDGELAB_SUMS);
  if (t.old_c != nullptr) add_rows<MR, NV, kProducts>(t.old_c + first * t.old_ld, t.old_ld, t.last, EDGELAB_SUMS);
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
  store_sums<MR, NV, kProducts>(t, first, EDGELAB_SUMS);
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
template <int MR, Products kProducts> HWY_INLINE void multiply_tile_and_half(const Tile& t, std::int64_t first_row) {
  const HalfD half;
  const auto begin = [&](int r, int v) HWY_ATTR {
    V sum = begin_vector<2>(t, v);
    if (t.residual != nullptr) sum = AddRows<2, kProducts, false>{t.residual + first_row * t.residual_ld, t.residual_ld, t.last}.sum(sum, r < MR ? r : 0, v);
    if (t.old_c != nullptr) sum = AddRows<2, kProducts, false>{t.old_c + first_row * t.old_ld, t.old_ld, t.last}.sum(sum, r < MR ? r : 0, v);
    return sum;
  };
  const auto first = [&](int r) HWY_ATTR { return begin(r, 0); };
  const auto second = [&](int r) HWY_ATTR { return hn::LowerHalf(half, begin(r, 1)); };
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
  const auto store = [&](int r, V c, HalfV h) HWY_ATTR {
    V right = hn::ZeroExtendVector(D(), h);
    if (t.activation != Activation::none) Clamp<2>{t.activation}(r, c, right, c, c);
    if (t.narrow_out != nullptr) return StoreNarrow<2>{t.narrow_out + first_row * t.out_ld, t.out_ld, t.last, t.natively}(r, c, right, c, c);
    StoreRows<2, false>{t.out + first_row * t.out_ld, t.out_ld, t.last}(r, c, right, c, c);
  };
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

// Several tiles, one below the other, from row `first` of the panel on. In one call: at K = 16 a call a tile was an eighth of the time.
template <int MR, int NV, Products kProducts, bool kHalf = false> void multiply_tiles(const Tile& panel, std::int64_t first, std::int64_t tiles) {
  Tile t = panel;
  const std::int64_t fetched = (in_f32(kProducts) ? t.k : in_s32(kProducts) ? t.k / 4 : t.k / 2) / kFetchEvery * 64 * t.next_lines;
  t.a = static_cast<const std::byte*>(t.a) + first * t.row_bytes;
  for (const std::int64_t end = first + MR * tiles; first != end; first += MR) {
    std::int64_t row = first;
#if defined(__GNUC__)
    asm("" : "+r"(row));  // else the loop keeps a pointer to every row of everything, and moves them all on
#endif
#if EDGELAB_HALF_VECTORS
    if constexpr (kHalf) {
      multiply_tile_and_half<MR, kProducts>(t, row);
    } else {
      multiply_tile<MR, NV, kProducts>(t, row);
    }
#else
    multiply_tile<MR, NV, kProducts>(t, row);
#endif
    t.a = static_cast<const std::byte*>(t.a) + MR * t.row_bytes;
    t.next += fetched;
  }
}
}  // namespace edgelab::kernels::tile_gemm::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
