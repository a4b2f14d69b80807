#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

// From a sum of integers to a number, as one scalar sees it. Reference kernels call these; the vectors of
// simd_requantize-inl.hpp do the same operations in the same order, so that results have the same bits. Multiply-adds are spelled
// out as fma: a compiler may fuse the others or not.
namespace edgelab::kernels::tile_gemm {

// The grid of a u8 result, real = scale · (q − zero_point), its scale being in the factor of the sum; and that of a u8 residual,
// whose scale is relative to the result's.
struct Requantize {
  std::int32_t zero_point = 0, low = 0, high = 255;  // relu: low is zero_point; relu6: high is what 6 becomes
  std::int32_t residual_zero_point = 0;
  float residual_scale = 1.0F;
  float after_gelu = 1.0F;

  bool operator==(const Requantize&) const = default;
};

// Beyond this every u8 has reached a bound; and it becomes an s32 on any machine.
constexpr float kLargestRounded = 65536.0F;

// To nearest even.
inline std::int32_t rounded(float f) { return static_cast<std::int32_t>(std::nearbyintf(std::min(std::max(f, -kLargestRounded), kLargestRounded))); }

inline std::uint8_t to_u8(const Requantize& r, float f) { return static_cast<std::uint8_t>(std::clamp(rounded(f) + r.zero_point, r.low, r.high)); }

inline float add_u8(const Requantize& r, std::uint8_t residual, float f) {
  return std::fmaf(static_cast<float>(residual - r.residual_zero_point), r.residual_scale, f);
}

}  // namespace edgelab::kernels::tile_gemm
