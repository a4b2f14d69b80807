// Included once for every instruction set, so the guard is Highway's toggle and not `#pragma once`.
#if defined(EDGELAB_TILE_GEMM_QUADS_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef EDGELAB_TILE_GEMM_QUADS_INL
#undef EDGELAB_TILE_GEMM_QUADS_INL
#else
#define EDGELAB_TILE_GEMM_QUADS_INL
#endif

#include <cstdint>

#include <hwy/highway.h>
#include "kernels/simd_targets.hpp"

// Products of bytes, four to a word of 32 bits: what integer kernels are made of on every instruction set.

HWY_BEFORE_NAMESPACE();
namespace edgelab::kernels::tile_gemm::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// As with bf16 (simd_epilogue-inl.hpp): the assembler knows VNNI whatever the function is compiled for; whether the machine does is
// asked when a kernel is made. Highway's set of targets that has it, AVX3_DL, would be one more to compile, and is off by default.
#undef EDGELAB_VNNI
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3 && HWY_COMPILER_GCC
#define EDGELAB_VNNI 1
template <class VI> HWY_INLINE VI dot_natively(VI u, VI s, VI sum) {
  asm("vpdpbusd %2, %1, %0" : "+v"(sum.raw) : "v"(u.raw), "vm"(s.raw));
  return sum;
}
#else
#define EDGELAB_VNNI 0
#endif

#if EDGELAB_NEON
// The assembler goes by the architecture, even where an extension is asked for.
#undef EDGELAB_SDOT
#define EDGELAB_SDOT ".arch armv8.2-a+crypto+dotprod\n\tsdot "

// The same with SDOT, which a Cortex-A76 has and an A72 lacks. It multiplies signed bytes by signed ones: see less_128().
template <class VI> HWY_INLINE VI dot_natively(VI centred, VI s, VI sum) {
  asm(EDGELAB_SDOT "%0.4s, %1.16b, %2.16b" : "+w"(sum.raw) : "w"(centred.raw), "w"(s.raw));
  return sum;
}

// u − 128, as signed bytes: the other sign bit. Σ (u − 128) · s is short of Σ u · s by 128 · Σ s.
template <class VI> HWY_INLINE VI less_128(VI u) { return VI{vreinterpretq_s32_u8(veorq_u8(vreinterpretq_u8_s32(u.raw), vdupq_n_u8(128)))}; }
#endif

#if HWY_TARGET == HWY_SCALAR
template <class VI> HWY_INLINE VI dot(VI u, VI s, VI sum) {
  for (int i = 0; i < 32; i += 8) sum.raw += static_cast<std::uint8_t>(u.raw >> i) * static_cast<std::int8_t>(s.raw >> i);
  return sum;
}
#else
// sum + Σ of the four products of each word: u's bytes are unsigned, s's signed. The bytes are widened to 16 bits first, the even
// ones and the odd ones: x86's own instruction on bytes before VNNI saturates the sum of two products at 16 bits.
template <class VI> HWY_INLINE VI dot(VI u, VI s, VI sum) {
  const hn::DFromV<VI> words;
  const hn::Repartition<std::int16_t, decltype(words)> halves;
  const hn::RebindToUnsigned<decltype(halves)> unsigned_halves;
  const auto u16 = hn::BitCast(halves, u), s16 = hn::BitCast(halves, s);
  const auto u_even = hn::And(u16, hn::Set(halves, 0xFF)), s_even = hn::ShiftRight<8>(hn::ShiftLeft<8>(s16));
  const auto u_odd = hn::BitCast(halves, hn::ShiftRight<8>(hn::BitCast(unsigned_halves, u16))), s_odd = hn::ShiftRight<8>(s16);
#if HWY_ARCH_X86 && HWY_TARGET != HWY_EMU128
  VI unused = hn::Zero(words);  // x86 puts both products of a pair into the first sum
  sum = hn::ReorderWidenMulAccumulate(words, u_even, s_even, sum, unused);
  return hn::ReorderWidenMulAccumulate(words, u_odd, s_odd, sum, unused);
#else
  // One product fits into 16 bits: 255 · 128.
  const auto add_both = [&](auto products, VI to) HWY_ATTR {
    const VI pair = hn::BitCast(words, products);
    return hn::Add(to, hn::Add(hn::ShiftRight<16>(pair), hn::ShiftRight<16>(hn::ShiftLeft<16>(pair))));
  };
  return add_both(hn::Mul(u_odd, s_odd), add_both(hn::Mul(u_even, s_even), sum));
#endif
}
#endif

}  // namespace edgelab::kernels::tile_gemm::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
