#pragma once

#include <cstddef>
#include <cstdint>

#include "core/dtype.hpp"

namespace edgelab::kernels {

// Numbers that lie as f32 or bf16, one at a time: for references.
inline float load_float(const std::byte* from, DType type, std::int64_t at) {
  return type == DType::bf16 ? bf16_to_float(reinterpret_cast<const std::uint16_t*>(from)[at]) : reinterpret_cast<const float*>(from)[at];
}

inline void store_float(std::byte* to, DType type, std::int64_t at, float value) {
  if (type == DType::bf16) {
    reinterpret_cast<std::uint16_t*>(to)[at] = float_to_bf16(value);
  } else {
    reinterpret_cast<float*>(to)[at] = value;
  }
}

}  // namespace edgelab::kernels
