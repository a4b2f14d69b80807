#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace edgelab {

// Element types. bf16 is the upper half of an IEEE binary32, f16 is IEEE binary16.
enum class DType : std::uint8_t { f32, f16, bf16, s8, u8, s32, s64 };

constexpr std::size_t size_of(DType type) {
  switch (type) {
    case DType::f32:
    case DType::s32: return 4;
    case DType::f16:
    case DType::bf16: return 2;
    case DType::s8:
    case DType::u8: return 1;
    case DType::s64: return 8;
  }
  return 0;
}

// "fp32", "bf16", … as job files and results spell them.
std::string_view name_of(DType type);

float bf16_to_float(std::uint16_t bits);
std::uint16_t float_to_bf16(float value);  // round to nearest even; NaN stays NaN
// The value as a product that computes in `type` (f32 or bf16) reads it.
inline double operand(DType type, float value) { return type == DType::bf16 ? bf16_to_float(float_to_bf16(value)) : value; }
float f16_to_float(std::uint16_t bits);
std::uint16_t float_to_f16(float value);   // round to nearest even; overflow becomes infinity

}  // namespace edgelab
