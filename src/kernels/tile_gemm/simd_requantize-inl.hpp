// Included once for every instruction set, so the guard is Highway's toggle and not `#pragma once`.
#if defined(EDGELAB_TILE_GEMM_SIMD_REQUANTIZE_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef EDGELAB_TILE_GEMM_SIMD_REQUANTIZE_INL
#undef EDGELAB_TILE_GEMM_SIMD_REQUANTIZE_INL
#else
#define EDGELAB_TILE_GEMM_SIMD_REQUANTIZE_INL
#endif

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include <hwy/highway.h>
#include "kernels/tile_gemm/quads-inl.hpp"
#include "kernels/tile_gemm/requantize.hpp"
#include "kernels/vector_math/partial-inl.hpp"

// requantize.hpp in vectors: the same operations in the same order.
HWY_BEFORE_NAMESPACE();
namespace edgelab::kernels::tile_gemm::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
namespace vm = vector_math::HWY_NAMESPACE;

using Whole = hn::RebindToSigned<vm::D>;
using VI = hn::Vec<Whole>;
using Bytes = hn::Rebind<std::uint8_t, vm::D>;

// a · b + c, rounded once.
HWY_INLINE vm::V fused(vm::V a, vm::V b, vm::V c) {
#if (HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX2) || HWY_ARCH_ARM_A64
  return hn::MulAdd(a, b, c);
#else
  HWY_ALIGN float x[vm::kMaxLanes], y[vm::kMaxLanes], z[vm::kMaxLanes];
  hn::Store(a, vm::D(), x);
  hn::Store(b, vm::D(), y);
  hn::Store(c, vm::D(), z);
  for (std::size_t i = 0; i < hn::Lanes(vm::D()); ++i) x[i] = std::fmaf(x[i], y[i], z[i]);
  return hn::Load(vm::D(), x);
#endif
}

HWY_INLINE VI load_part(const std::int32_t* from, std::size_t count) {
  return hn::BitCast(Whole(), vm::load_part(reinterpret_cast<const float*>(from), count));
}

// The first `count` bytes, one a lane.
HWY_INLINE VI load_bytes(const std::uint8_t* from, std::size_t count) {
  const Bytes bytes;
  if (count == hn::Lanes(vm::D())) return hn::PromoteTo(Whole(), hn::LoadU(bytes, from));
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3
  return hn::PromoteTo(Whole(), hn::Vec<Bytes>{_mm_maskz_loadu_epi8(static_cast<__mmask16>((1u << count) - 1), from)});
#else
  HWY_ALIGN std::uint8_t values[vm::kMaxLanes] = {};
  std::memcpy(values, from, count);
  return hn::PromoteTo(Whole(), hn::Load(bytes, values));
#endif
}

// Lanes from 0 to 255.
HWY_INLINE void store_bytes(VI q, std::uint8_t* to, std::size_t count) {
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3
  const __m128i narrow = _mm512_cvtepi32_epi8(q.raw);
  if (count == hn::Lanes(vm::D())) return _mm_storeu_si128(reinterpret_cast<__m128i*>(to), narrow);
  _mm_mask_storeu_epi8(to, static_cast<__mmask16>((1u << count) - 1), narrow);
#else
  const auto narrow = hn::DemoteTo(Bytes(), q);
  if (count == hn::Lanes(vm::D())) return hn::StoreU(narrow, Bytes(), to);
  HWY_ALIGN std::uint8_t values[vm::kMaxLanes];
  hn::Store(narrow, Bytes(), values);
  std::memcpy(to, values, count);
#endif
}

HWY_INLINE vm::V add_u8(const Requantize& r, VI residual, vm::V f) {
  const vm::V distance = hn::ConvertTo(vm::D(), hn::Sub(residual, hn::Set(Whole(), r.residual_zero_point)));
  return fused(distance, hn::Set(vm::D(), r.residual_scale), f);
}

// To nearest even, of numbers that are below 2^31. x86's instruction gives the least s32 for others; Highway mends those from 2^31 on,
// which took four instructions of a dozen behind a product: 15 % of MobileNetV2 on Zen 4.
HWY_INLINE VI nearest(vm::V f) {
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3
  return VI{_mm512_cvtps_epi32(f.raw)};
#elif HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX2
  return VI{_mm256_cvtps_epi32(f.raw)};
#else
  return hn::NearestInt(f);
#endif
}

// Whatever is far below becomes the least s32 or itself, so that only the upper side must be cut off.
HWY_INLINE VI rounded(vm::V f) { return nearest(hn::Min(f, hn::Set(vm::D(), kLargestRounded))); }

HWY_INLINE VI to_u8(const Requantize& r, vm::V f) {
  const VI q = hn::Add(rounded(f), hn::Set(Whole(), r.zero_point));
  return hn::Min(hn::Max(q, hn::Set(Whole(), r.low)), hn::Set(Whole(), r.high));
}

#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3
// to_u8 of four vectors, which then lie as 128-bit lanes of packs and packus do: dword 4·L + i holds lane L of vector i.
// Saturating at 16 bits on the way changes nothing, since all bounds lie within.
HWY_INLINE __m512i to_u8_by_lanes(const Requantize& r, vm::V f0, vm::V f1, vm::V f2, vm::V f3) {
  const __m512i zero_point = _mm512_set1_epi16(static_cast<short>(r.zero_point));
  const __m512i low = _mm512_adds_epi16(_mm512_packs_epi32(rounded(f0).raw, rounded(f1).raw), zero_point);
  const __m512i high = _mm512_adds_epi16(_mm512_packs_epi32(rounded(f2).raw, rounded(f3).raw), zero_point);
  const __m512i bytes = _mm512_max_epu8(_mm512_packus_epi16(low, high), _mm512_set1_epi8(static_cast<char>(r.low)));
  return _mm512_min_epu8(bytes, _mm512_set1_epi8(static_cast<char>(r.high)));
}

// The same with the four vectors one behind the other.
HWY_INLINE __m512i to_u8_in_order(const Requantize& r, vm::V f0, vm::V f1, vm::V f2, vm::V f3) {
  const __m512i order = _mm512_set_epi32(15, 11, 7, 3, 14, 10, 6, 2, 13, 9, 5, 1, 12, 8, 4, 0);
  return _mm512_permutexvar_epi32(order, to_u8_by_lanes(r, f0, f1, f2, f3));
}
#endif

#if EDGELAB_NEON
// to_u8 of four vectors, one behind the other. Saturating at 16 bits on the way changes nothing, since all bounds lie within.
HWY_INLINE uint8x16_t to_u8_in_order(const Requantize& r, vm::V f0, vm::V f1, vm::V f2, vm::V f3) {
  const int16x8_t zero_point = vdupq_n_s16(static_cast<std::int16_t>(r.zero_point));
  const auto halves = [&](vm::V first, vm::V second) HWY_ATTR {
    return vqaddq_s16(vqmovn_high_s32(vqmovn_s32(vcvtnq_s32_f32(first.raw)), vcvtnq_s32_f32(second.raw)), zero_point);
  };
  const uint8x16_t bytes = vqmovun_high_s16(vqmovun_s16(halves(f0, f1)), halves(f2, f3));
  return vminq_u8(vmaxq_u8(bytes, vdupq_n_u8(static_cast<std::uint8_t>(r.low))), vdupq_n_u8(static_cast<std::uint8_t>(r.high)));
}

HWY_INLINE void store_first(uint8x16_t bytes, std::uint8_t* to, std::size_t count) {
  if (count >= 16) return vst1q_u8(to, bytes);
  HWY_ALIGN std::uint8_t values[16];
  vst1q_u8(values, bytes);
  std::memcpy(to, values, count);
}
#endif

}  // namespace edgelab::kernels::tile_gemm::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
