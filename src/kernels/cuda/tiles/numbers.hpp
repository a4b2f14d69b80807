#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#include "kernels/cuda/arguments.hpp"
#include "kernels/cuda/host_device.hpp"

// Numbers as the device's kernels read and write them; bit for bit what core/dtype.hpp makes of them on the host.
namespace edgelab::kernels::cuda {

EDGELAB_HOST_DEVICE inline std::uint32_t bits_of(float value) {
  std::uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}
EDGELAB_HOST_DEVICE inline float float_of(std::uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

EDGELAB_HOST_DEVICE inline std::uint16_t to_bf16(float value) {
  const std::uint32_t bits = bits_of(value);
  const bool nan = (bits & 0x7FFFFFFFu) > 0x7F800000u;
  return static_cast<std::uint16_t>((nan ? bits | 0x400000u : bits + 0x7FFFu + ((bits >> 16) & 1u)) >> 16);
}
EDGELAB_HOST_DEVICE inline float from_bf16(std::uint16_t bits) { return float_of(static_cast<std::uint32_t>(bits) << 16); }
EDGELAB_HOST_DEVICE inline std::uint32_t pair_of(std::uint16_t low, std::uint16_t high) {
  return low | static_cast<std::uint32_t>(high) << 16;
}

// To nearest, halves away from zero, as the device's cvt.rna; the tensor core itself would only cut the bits off.
EDGELAB_HOST_DEVICE inline float to_tf32(float value) {
  const std::uint32_t bits = bits_of(value);
  const bool finite = (bits & 0x7F800000u) != 0x7F800000u;
  return finite ? float_of((bits + 0x1000u) & ~0x1FFFu) : value;
}

EDGELAB_HOST_DEVICE inline float load(const ConstValues& values, std::int64_t at) {
  if (values.type == Element::f32) return static_cast<const float*>(values.data)[at];
  return from_bf16(static_cast<const std::uint16_t*>(values.data)[at]);
}
EDGELAB_HOST_DEVICE inline void store(const Values& values, std::int64_t at, float value) {
  if (values.type == Element::f32) {
    static_cast<float*>(values.data)[at] = value;
  } else {
    static_cast<std::uint16_t*>(values.data)[at] = to_bf16(value);
  }
}

EDGELAB_HOST_DEVICE inline float activated(ActivationKind kind, float x) {
  switch (kind) {
    case ActivationKind::none: return x;
    case ActivationKind::relu: return x > 0 ? x : 0.0f;
    case ActivationKind::relu6: return x < 0 ? 0.0f : (x > 6 ? 6.0f : x);
    case ActivationKind::gelu: return 0.5f * x * (1.0f + erff(x * 0.70710678f));
  }
  return x;
}

EDGELAB_HOST_DEVICE inline std::int64_t row_of(const RowMap& map, std::int64_t m) {
  return m / map.group * map.stride + map.first + m % map.group;
}

}  // namespace edgelab::kernels::cuda
