// Compiled once for every instruction set (Highway's foreach_target).
#include "kernels/simd_targets.hpp"

#include "kernels/message/wire_rows.hpp"

#include <cstring>
#include <limits>

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/message/wire_rows.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include "kernels/vector_math/partial-inl.hpp"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace edgelab::kernels::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
namespace vm = vector_math::HWY_NAMESPACE;
using vm::D;
using vm::V;
using SignedBytes = hn::Rebind<std::int8_t, D>;

constexpr float kLargestByte = 127.0f;

// Two sums and two maxima, so that none waits for the one before.
HWY_INLINE float scale_of(const float* x, std::int64_t count) {
  const D d;
  V most[2] = {hn::Zero(d), hn::Zero(d)}, all[2] = {hn::Zero(d), hn::Zero(d)};
  int turn = 0;
  for (std::int64_t i = 0; i < count; i += vm::lanes(), turn ^= 1) {
    const V value = vm::load_part(x + i, vm::count_at(i, count));
    most[turn] = hn::Max(most[turn], hn::Abs(value));
    all[turn] = hn::MulAdd(value, hn::Zero(d), all[turn]);  // 0, or NaN once one is infinite or NaN
  }
  const float sum = hn::GetLane(hn::SumOfLanes(d, hn::Add(all[0], all[1])));
  const float largest = hn::GetLane(hn::MaxOfLanes(d, hn::Max(most[0], most[1])));
  return sum == 0.0f ? largest / kLargestByte : std::numeric_limits<float>::quiet_NaN();
}

float to_int8(const float* x, std::int64_t count, std::int8_t* y) {
  const D d;
  const float scale = scale_of(x, count);
  const V factor = hn::Set(d, scale > 0.0f ? 1.0f / scale : 0.0f), low = hn::Set(d, -kLargestByte), high = hn::Set(d, kLargestByte);
  for (std::int64_t i = 0; i < count; i += vm::lanes()) {
    const std::size_t part = vm::count_at(i, count);
    // A subnormal scale's reciprocal is infinite, and a row with a NaN has one for a scale: what numbers become then is anything.
    const V scaled = hn::Min(hn::Max(hn::Mul(vm::load_part(x + i, part), factor), low), high);
    const auto bytes = hn::DemoteTo(SignedBytes(), hn::NearestInt(scaled));
    if (part == hn::Lanes(d)) {
      hn::StoreU(bytes, SignedBytes(), y + i);
    } else {
      HWY_ALIGN std::int8_t values[vm::kMaxLanes];
      hn::StoreU(bytes, SignedBytes(), values);
      std::memcpy(y + i, values, part);
    }
  }
  return scale;
}

void from_int8(const std::int8_t* x, std::int64_t count, float scale, float* y) {
  const D d;
  const hn::RebindToSigned<D> words;
  const V factor = hn::Set(d, scale);
  for (std::int64_t i = 0; i < count; i += vm::lanes()) {
    const std::size_t part = vm::count_at(i, count);
    const auto scaled = [&](const std::int8_t* from) HWY_ATTR { return hn::Mul(factor, hn::ConvertTo(d, hn::PromoteTo(words, hn::LoadU(SignedBytes(), from)))); };
    if (part == hn::Lanes(d)) {
      hn::StoreU(scaled(x + i), d, y + i);
    } else {
      HWY_ALIGN std::int8_t values[vm::kMaxLanes] = {};
      std::memcpy(values, x + i, part);
      vm::store_part(scaled(values), y + i, part);
    }
  }
}

void to_bf16(const float* x, std::int64_t count, std::uint16_t* y) {
  for (std::int64_t i = 0; i < count; i += vm::lanes()) {
    const std::size_t part = vm::count_at(i, count);
    vm::store_bf16(vm::load_part(x + i, part), y + i, part);
  }
}

void from_bf16(const std::uint16_t* x, std::int64_t count, float* y) {
  for (std::int64_t i = 0; i < count; i += vm::lanes()) {
    const std::size_t part = vm::count_at(i, count);
    vm::store_part(vm::load_bf16(x + i, part), y + i, part);
  }
}

// Highway's own conversions round towards zero where there is no instruction for them, and of f32's subnormals an x86 may make zeros: so
// both ways go by integers, 7 times as fast as number by number on a Zen 3. F16C was not tried beside it.
constexpr std::uint32_t kSign = 0x80000000, kInfinity = 0x7F800000;
constexpr std::uint32_t kLeastNormalHalf = 113u << 23, kPastLargestHalf = 143u << 23;  // 2^-14 and 2^16 as f32
constexpr std::uint32_t kBiases = (127u - 15u) << 23;                                  // the exponents' biases apart
constexpr std::uint32_t kOneHalf = 126u << 23;                                         // 0.5

void to_f16(const float* x, std::int64_t count, std::uint16_t* y) {
  const vm::Words words;
  const auto word = [&](std::uint32_t bits) HWY_ATTR { return hn::Set(words, bits); };
  for (std::int64_t i = 0; i < count; i += vm::lanes()) {
    const std::size_t part = vm::count_at(i, count);
    const auto bits = hn::BitCast(words, vm::load_part(x + i, part));
    const auto magnitude = hn::AndNot(word(kSign), bits);
    const auto odd = hn::And(hn::ShiftRight<13>(magnitude), word(1));
    const auto normal = hn::ShiftRight<13>(hn::Add(hn::Sub(magnitude, word(kBiases)), hn::Add(odd, word(0xFFF))));
    // Added to a number below the least normal half, 0.5 leaves units of that half's last place in its lowest bits, rounded to even.
    const V sum = hn::Add(hn::BitCast(D(), magnitude), hn::BitCast(D(), word(kOneHalf)));
    const auto subnormal = hn::Sub(hn::BitCast(words, sum), word(kOneHalf));
    const auto broken = hn::IfThenElse(hn::Gt(magnitude, word(kInfinity)), word(0x7E00), word(0x7C00));
    const auto finite = hn::IfThenElse(hn::Lt(magnitude, word(kLeastNormalHalf)), subnormal, normal);
    const auto number = hn::IfThenElse(hn::Lt(magnitude, word(kPastLargestHalf)), finite, broken);
    vm::store_halves(hn::Or(number, hn::ShiftRight<16>(hn::And(bits, word(kSign)))), y + i, part);
  }
}

void from_f16(const std::uint16_t* x, std::int64_t count, float* y) {
  const vm::Words words;
  const auto word = [&](std::uint32_t bits) HWY_ATTR { return hn::Set(words, bits); };
  const auto least_normal = hn::BitCast(D(), word(kLeastNormalHalf));
  for (std::int64_t i = 0; i < count; i += vm::lanes()) {
    const std::size_t part = vm::count_at(i, count);
    const auto bits = vm::load_halves(x + i, part);
    const auto magnitude = hn::ShiftLeft<13>(hn::And(bits, word(0x7FFF)));
    const auto normal = hn::Add(magnitude, word(kBiases));
    // With the least normal half's exponent, of which as much is taken away again, its fraction has the right weight.
    const auto subnormal = hn::BitCast(words, hn::Sub(hn::BitCast(D(), hn::Or(magnitude, word(kLeastNormalHalf))), least_normal));
    const auto broken = hn::Or(magnitude, word(kInfinity));
    const auto finite = hn::IfThenElse(hn::Lt(magnitude, word(1u << 23)), subnormal, normal);
    const auto number = hn::IfThenElse(hn::Lt(magnitude, word(31u << 23)), finite, broken);
    const auto sign = hn::ShiftLeft<16>(hn::And(bits, word(0x8000)));
    vm::store_part(hn::BitCast(D(), hn::Or(number, sign)), y + i, part);
  }
}

}  // namespace edgelab::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace edgelab::kernels {

HWY_EXPORT(to_int8);
HWY_EXPORT(from_int8);
HWY_EXPORT(to_bf16);
HWY_EXPORT(from_bf16);
HWY_EXPORT(to_f16);
HWY_EXPORT(from_f16);

float int8_row(const float* x, std::int64_t count, std::int8_t* y) { return HWY_DYNAMIC_DISPATCH(to_int8)(x, count, y); }
void floats_of_int8(const std::int8_t* x, std::int64_t count, float scale, float* y) { HWY_DYNAMIC_DISPATCH(from_int8)(x, count, scale, y); }
void bf16_row(const float* x, std::int64_t count, std::uint16_t* y) { HWY_DYNAMIC_DISPATCH(to_bf16)(x, count, y); }
void floats_of_bf16(const std::uint16_t* x, std::int64_t count, float* y) { HWY_DYNAMIC_DISPATCH(from_bf16)(x, count, y); }
void f16_row(const float* x, std::int64_t count, std::uint16_t* y) { HWY_DYNAMIC_DISPATCH(to_f16)(x, count, y); }
void floats_of_f16(const std::uint16_t* x, std::int64_t count, float* y) { HWY_DYNAMIC_DISPATCH(from_f16)(x, count, y); }

}  // namespace edgelab::kernels
#endif
