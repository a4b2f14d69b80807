// Included once for every instruction set, so the guard is Highway's toggle and not `#pragma once`.
#if defined(EDGELAB_VECTOR_MATH_PARTIAL_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef EDGELAB_VECTOR_MATH_PARTIAL_INL
#undef EDGELAB_VECTOR_MATH_PARTIAL_INL
#else
#define EDGELAB_VECTOR_MATH_PARTIAL_INL
#endif

#include <cstddef>
#include <cstdint>
#include <cstring>

#include <hwy/highway.h>
#include "kernels/simd_targets.hpp"

// Vectors of f32 to and from memory that may end in the middle of one, and to and from bf16.
HWY_BEFORE_NAMESPACE();
namespace edgelab::kernels::vector_math::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;
constexpr std::size_t kMaxLanes = HWY_MAX_BYTES / sizeof(float);

HWY_INLINE std::int64_t lanes() { return static_cast<std::int64_t>(hn::Lanes(D())); }
// Lanes of the vector that begins with element i of `total`.
HWY_INLINE std::size_t count_at(std::int64_t i, std::int64_t total) { return static_cast<std::size_t>(HWY_MIN(lanes(), total - i)); }

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
  HWY_ALIGN float values[kMaxLanes] = {};
  std::memcpy(values, from, count * sizeof(float));
  return hn::Load(d, values);
#endif
}

HWY_INLINE void store_part(V value, float* to, std::size_t count) {
  const D d;
  if (count == hn::Lanes(d)) return hn::StoreU(value, d, to);
#if EDGELAB_MASKS_MEMORY
  hn::BlendedStore(value, hn::FirstN(d, count), d, to);
#else
  HWY_ALIGN float values[kMaxLanes];
  hn::Store(value, d, values);
  std::memcpy(to, values, count * sizeof(float));
#endif
}
#undef EDGELAB_MASKS_MEMORY

// Numbers of 16 bits, one in the low half of each word; the first `count` lanes.
using Words = hn::RebindToUnsigned<D>;

HWY_INLINE hn::Vec<Words> load_halves(const std::uint16_t* from, std::size_t count) {
  const hn::Rebind<std::uint16_t, D> halves;
  if (count == hn::Lanes(D())) return hn::PromoteTo(Words(), hn::LoadU(halves, from));
  HWY_ALIGN std::uint16_t values[kMaxLanes] = {};
  std::memcpy(values, from, count * sizeof(std::uint16_t));
  return hn::PromoteTo(Words(), hn::LoadU(halves, values));
}

HWY_INLINE void store_halves(hn::Vec<Words> words, std::uint16_t* to, std::size_t count) {
  const hn::Rebind<std::uint16_t, D> halves;
  const auto narrow = hn::DemoteTo(halves, hn::BitCast(hn::RebindToSigned<D>(), words));
  if (count == hn::Lanes(D())) return hn::StoreU(narrow, halves, to);
  HWY_ALIGN std::uint16_t values[kMaxLanes];
  hn::StoreU(narrow, halves, values);
  std::memcpy(to, values, count * sizeof(std::uint16_t));
}

HWY_INLINE V load_bf16(const std::uint16_t* from, std::size_t count) { return hn::BitCast(D(), hn::ShiftLeft<16>(load_halves(from, count))); }
// The bf16 of each lane in the low half of its word. Rounds to nearest even; a NaN stays one, quietly.
HWY_INLINE hn::Vec<Words> rounded_to_bf16(V value) {
  const Words words;
  const auto bits = hn::BitCast(words, value);
  const auto odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(words, 1u));
  const auto rounded = hn::Add(bits, hn::Add(odd, hn::Set(words, 0x7FFFu)));
  const auto quiet = hn::Or(bits, hn::Set(words, 0x400000u));
  return hn::ShiftRight<16>(hn::IfThenElse(hn::RebindMask(words, hn::IsNaN(value)), quiet, rounded));
}

HWY_INLINE void store_bf16(V value, std::uint16_t* to, std::size_t count) { store_halves(rounded_to_bf16(value), to, count); }

// max and min that give x where x is NaN. x86's instructions give the second operand then, Arm's FMAX and FMIN the NaN; Highway takes
// Arm's other ones, which drop it.
HWY_INLINE V at_least(V low, V x) {
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX2
  return hn::Max(low, x);
#elif EDGELAB_NEON
  return V{vmaxq_f32(low.raw, x.raw)};
#else
  return hn::IfThenElse(hn::Lt(x, low), low, x);
#endif
}
HWY_INLINE V at_most(V high, V x) {
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX2
  return hn::Min(high, x);
#elif EDGELAB_NEON
  return V{vminq_f32(high.raw, x.raw)};
#else
  return hn::IfThenElse(hn::Lt(high, x), high, x);
#endif
}

}  // namespace edgelab::kernels::vector_math::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
