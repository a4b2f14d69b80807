// Included once for every instruction set, so the guard is Highway's toggle and not `#pragma once`.
#if defined(EDGELAB_TILE_GEMM_SIMD_EPILOGUE_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef EDGELAB_TILE_GEMM_SIMD_EPILOGUE_INL
#undef EDGELAB_TILE_GEMM_SIMD_EPILOGUE_INL
#else
#define EDGELAB_TILE_GEMM_SIMD_EPILOGUE_INL
#endif

#include <cstddef>
#include <cstdint>
#include <cstring>

#include <hwy/contrib/math/math-inl.h>
#include <hwy/highway.h>
#include "kernels/tile_gemm/simd.hpp"

HWY_BEFORE_NAMESPACE();
namespace edgelab::kernels::tile_gemm::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;
constexpr std::size_t kMaxLanes = HWY_MAX_BYTES / sizeof(float);

// Elsewhere Highway reads, and writes back, whole vectors around the masked lanes: that would race with the tile beside.
#if (HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX2) || HWY_HAVE_SCALABLE
#define EDGELAB_MASKS_MEMORY 1
#else
#define EDGELAB_MASKS_MEMORY 0
#endif

// The first `count` lanes; the others are zero and their memory is not touched.
HWY_INLINE V load_part(const float* from, std::size_t count) {
  const D d;
  if (count == hn::Lanes(d)) return hn::LoadU(d, from);
#if EDGELAB_MASKS_MEMORY
  return hn::MaskedLoad(hn::FirstN(d, count), d, from);
#else
  HWY_ALIGN float lanes[kMaxLanes] = {};
  std::memcpy(lanes, from, count * sizeof(float));
  return hn::Load(d, lanes);
#endif
}

HWY_INLINE void store_part(V value, float* to, std::size_t count) {
  const D d;
  if (count == hn::Lanes(d)) return hn::StoreU(value, d, to);
#if EDGELAB_MASKS_MEMORY
  hn::BlendedStore(value, hn::FirstN(d, count), d, to);
#else
  HWY_ALIGN float lanes[kMaxLanes];
  hn::Store(value, d, lanes);
  std::memcpy(to, lanes, count * sizeof(float));
#endif
}
#undef EDGELAB_MASKS_MEMORY

HWY_INLINE V load_bf16(const std::uint16_t* from, std::size_t count) {
  const hn::RebindToUnsigned<D> words;
  const hn::Rebind<std::uint16_t, D> halves;
  HWY_ALIGN std::uint16_t lanes[kMaxLanes] = {};
  std::memcpy(lanes, from, count * sizeof(std::uint16_t));
  return hn::BitCast(D(), hn::ShiftLeft<16>(hn::PromoteTo(words, hn::Load(halves, lanes))));
}

// Rounds to nearest even; a NaN stays one, quietly.
HWY_INLINE void store_bf16(V value, std::uint16_t* to, std::size_t count) {
  const hn::RebindToUnsigned<D> words;
  const hn::RebindToSigned<D> integers;
  const hn::Rebind<std::uint16_t, D> halves;
  const auto bits = hn::BitCast(words, value);
  const auto odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(words, 1u));
  const auto rounded = hn::Add(bits, hn::Add(odd, hn::Set(words, 0x7FFFu)));
  const auto quiet = hn::Or(bits, hn::Set(words, 0x400000u));
  const auto chosen = hn::IfThenElse(hn::RebindMask(words, hn::IsNaN(value)), quiet, rounded);
  HWY_ALIGN std::uint16_t lanes[kMaxLanes];
  hn::Store(hn::DemoteTo(halves, hn::BitCast(integers, hn::ShiftRight<16>(chosen))), halves, lanes);
  std::memcpy(to, lanes, count * sizeof(std::uint16_t));
}

// x·Φ(x) = max(x, 0) − ½|x|·erfc(|x|/√2), with erfc by Abramowitz and Stegun 7.1.26 (1.5e-7). Written by erfc, the left
// tail loses nothing to cancellation. kSimdGeluError states the error as a test measures it. An infinity on the left
// gives 0, which is the limit.
HWY_INLINE V gelu(V x) {
  const D d;
  const V magnitude = hn::Min(hn::Abs(x), hn::Set(d, 16.0f));  // beyond, the tail is below f32
  const V z = hn::Mul(magnitude, hn::Set(d, 0.70710678118654752f));
  const V t = hn::Div(hn::Set(d, 1.0f), hn::MulAdd(z, hn::Set(d, 0.3275911f), hn::Set(d, 1.0f)));
  V polynomial = hn::Set(d, 1.061405429f);
  polynomial = hn::MulAdd(polynomial, t, hn::Set(d, -1.453152027f));
  polynomial = hn::MulAdd(polynomial, t, hn::Set(d, 1.421413741f));
  polynomial = hn::MulAdd(polynomial, t, hn::Set(d, -0.284496736f));
  polynomial = hn::MulAdd(polynomial, t, hn::Set(d, 0.254829592f));
  const V erfc = hn::Mul(hn::Mul(polynomial, t), hn::Exp(d, hn::Neg(hn::Mul(z, z))));
  const V half = hn::Mul(hn::Set(d, 0.5f), magnitude);
  const V result = hn::NegMulAdd(half, erfc, hn::Max(x, hn::Zero(d)));
  return hn::IfThenElse(hn::IsNaN(x), x, result);
}

// relu and relu6. The comparisons keep a NaN, which Max and Min of some machines would drop.
HWY_INLINE V clamp(Activation activation, V value) {
  const V zero = hn::Zero(D());
  value = hn::IfThenElse(hn::Lt(value, zero), zero, value);
  if (activation == Activation::relu) return value;
  const V six = hn::Set(D(), 6.0f);
  return hn::IfThenElse(hn::Gt(value, six), six, value);
}

HWY_INLINE V activate(Activation activation, V value) {
  if (activation == Activation::none) return value;
  return activation == Activation::gelu ? gelu(value) : clamp(activation, value);
}

HWY_INLINE V load_sums(const Finish& f, std::int64_t at, std::size_t count) {
  const V bits = load_part(static_cast<const float*>(f.sums) + at, count);
  return f.sum_type == DType::f32 ? bits : hn::ConvertTo(D(), hn::BitCast(hn::RebindToSigned<D>(), bits));
}

HWY_INLINE V finished(const Finish& f, V value, std::int64_t row, std::int64_t column, std::size_t count) {
  const Epilogue& e = *f.epilogue;
  if (e.scale == Scale::one) value = hn::Mul(value, hn::Set(D(), f.scale[0]));
  if (e.scale == Scale::per_column) value = hn::Mul(value, load_part(f.scale + column, count));
  if (f.bias != nullptr) value = hn::Add(value, load_part(f.bias + column, count));
  if (f.residual != nullptr) {
    const std::int64_t at = row * e.residual_ld + column;
    value = hn::Add(value, e.residual_type == DType::f32 ? load_part(static_cast<const float*>(f.residual) + at, count)
                                                         : load_bf16(static_cast<const std::uint16_t*>(f.residual) + at, count));
  }
  return activate(e.activation, value);
}

HWY_NOINLINE void finish_tile(const Finish& f) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(D()));
  for (std::int64_t row = 0; row < f.rows; ++row) {
    for (std::int64_t column = 0; column < f.columns; column += lanes) {
      const auto count = static_cast<std::size_t>(f.columns - column < lanes ? f.columns - column : lanes);
      const V value = finished(f, load_sums(f, row * f.sums_ld + column, count), row, column, count);
      const std::int64_t at = row * f.ldc + column;
      if (f.c_type == DType::f32) {
        store_part(value, static_cast<float*>(f.c) + at, count);
      } else {
        store_bf16(value, static_cast<std::uint16_t*>(f.c) + at, count);
      }
    }
  }
}

}  // namespace edgelab::kernels::tile_gemm::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
