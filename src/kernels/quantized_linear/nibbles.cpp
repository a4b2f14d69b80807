// Compiled once for every instruction set (Highway's foreach_target).

#include "kernels/simd_targets.hpp"

#include "kernels/quantized_linear/nibbles.hpp"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/quantized_linear/nibbles.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace edgelab::kernels::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// The sign of the low four bits, spread over the byte.
HWY_INLINE std::int8_t extended(unsigned nibble) { return static_cast<std::int8_t>(static_cast<int>(nibble ^ 8U) - 8); }

void unpack(const std::uint8_t* from, std::int8_t* to, std::size_t count) {
  const std::size_t half = count / 2;
  std::size_t i = 0;
#if HWY_TARGET != HWY_SCALAR
  const hn::ScalableTag<std::uint8_t> bytes;
  const hn::Repartition<std::uint16_t, decltype(bytes)> words;  // bytes have no shift of their own on x86
  const auto low_bits = hn::Set(bytes, 15), sign = hn::Set(bytes, 8);
  for (const std::size_t lanes = hn::Lanes(bytes); i + lanes <= half; i += lanes) {
    const auto pairs = hn::LoadU(bytes, from + i);
    const auto low = hn::And(pairs, low_bits), high = hn::And(hn::BitCast(bytes, hn::ShiftRight<4>(hn::BitCast(words, pairs))), low_bits);
    hn::StoreU(hn::Sub(hn::Xor(low, sign), sign), bytes, reinterpret_cast<std::uint8_t*>(to + i));
    hn::StoreU(hn::Sub(hn::Xor(high, sign), sign), bytes, reinterpret_cast<std::uint8_t*>(to + half + i));
  }
#endif
  for (; i < half; ++i) {
    to[i] = extended(from[i] & 15U);
    to[half + i] = extended(static_cast<unsigned>(from[i]) >> 4U);
  }
}

}  // namespace edgelab::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace edgelab::kernels {

HWY_EXPORT(unpack);

void unpack_nibbles(const std::uint8_t* from, std::int8_t* to, std::size_t count) { HWY_DYNAMIC_DISPATCH(unpack)(from, to, count); }

void pack_nibbles(const std::int8_t* from, std::uint8_t* to, std::size_t count) {
  const std::size_t half = count / 2;
  for (std::size_t i = 0; i < half; ++i) {
    to[i] = static_cast<std::uint8_t>((static_cast<unsigned>(from[i]) & 15U) | (static_cast<unsigned>(from[half + i]) & 15U) << 4U);
  }
}

}  // namespace edgelab::kernels
#endif
