#pragma once

#include <cstdint>
#include <span>

#include "kernels/activation/activation.hpp"
#include "kernels/u8_grid.hpp"

// One number after the other, as the formulas have it: what references of quantized ops are made of.
namespace edgelab::kernels {

// Σ_k (x[k] − zero_point) · w[k]
inline std::int32_t integer_product(const std::uint8_t* x, std::int32_t zero_point, const std::int8_t* w, std::int64_t k) {
  std::int32_t sum = 0;
  for (std::int64_t i = 0; i < k; ++i) sum += (x[i] - zero_point) * w[i];
  return sum;
}

// A sum that has become a real number (or, without GELU, one in units of y's grid): as f32, and onto a grid.
float activated(ActivationKind kind, float f, DType y);
std::uint8_t activated_u8(ActivationKind kind, float f, const U8Grid& y);

// A row normalised, by the float routine that all implementations share.
void normalized_row(const float* x, const float* weight, const float* bias, double epsilon, std::int64_t width, float* y);

}  // namespace edgelab::kernels
