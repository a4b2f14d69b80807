// Compiled once for every instruction set (Highway's foreach_target).
#include "kernels/simd_targets.hpp"

#include "kernels/quantize/byte_rows.hpp"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/quantize/byte_rows.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include "kernels/tile_gemm/simd_requantize-inl.hpp"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace edgelab::kernels::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
namespace tg = tile_gemm::HWY_NAMESPACE;
namespace vm = vector_math::HWY_NAMESPACE;
using tg::VI;
using tg::Whole;
using vm::D;

HWY_INLINE VI on_grid(const tile_gemm::Requantize& bounds, float inverse, const float* x, std::size_t part) {
  return tg::to_u8(bounds, hn::Mul(vm::load_part(x, part), hn::Set(D(), inverse)));
}

#if EDGELAB_NEON
HWY_INLINE uint8x16_t sixteen_on_grid(const tile_gemm::Requantize& bounds, vm::V factor, const float* x) {
  const auto scaled = [&](std::int64_t at) HWY_ATTR { return hn::Mul(hn::LoadU(D(), x + at), factor); };
  return tg::to_u8_in_order(bounds, scaled(0), scaled(4), scaled(8), scaled(12));
}
#endif

void quantize_all(const float* from, std::int64_t from_ld, const U8Grid& grid, std::uint8_t* to, std::int64_t to_ld, std::int64_t rows, std::int64_t width) {
  const tile_gemm::Requantize bounds = grid.bounds();
  const float inverse = grid.inverse();
  for (std::int64_t row = 0; row < rows; ++row) {
    const float* x = from + row * from_ld;
    std::uint8_t* y = to + row * to_ld;
    std::int64_t i = 0;
#if EDGELAB_NEON
    const vm::V factor = hn::Set(D(), inverse);
    for (; i + 16 <= width; i += 16) vst1q_u8(y + i, sixteen_on_grid(bounds, factor, x + i));
#endif
    for (; i < width; i += vm::lanes()) tg::store_bytes(on_grid(bounds, inverse, x + i, vm::count_at(i, width)), y + i, vm::count_at(i, width));
  }
}

void dequantize_all(const std::uint8_t* x, std::int64_t count, const U8Grid& grid, float* y) {
  const vm::V scale = hn::Set(D(), grid.scale);
  const VI zero_point = hn::Set(Whole(), grid.zero_point);
  for (std::int64_t i = 0; i < count; i += vm::lanes()) {
    const std::size_t part = vm::count_at(i, count);
    vm::store_part(hn::Mul(hn::ConvertTo(D(), hn::Sub(tg::load_bytes(x + i, part), zero_point)), scale), y + i, part);
  }
}

void quantize_planes(const float* planes, std::int64_t plane, std::int64_t channels, std::int64_t count, const U8Grid& grid, std::uint8_t* y) {
  const tile_gemm::Requantize bounds = grid.bounds();
  const float inverse = grid.inverse();
  std::int64_t i = 0;
#if EDGELAB_NEON
  const vm::V factor = hn::Set(D(), inverse);
  for (; i + 16 <= count; i += 16) {
    const auto bytes = [&](std::int64_t channel) HWY_ATTR {
      return channel < channels ? sixteen_on_grid(bounds, factor, planes + channel * plane + i) : vdupq_n_u8(0);
    };
    vst4q_u8(y + 4 * i, uint8x16x4_t{{bytes(0), bytes(1), bytes(2), bytes(3)}});
  }
#endif
  for (; i < count; i += vm::lanes()) {
    const std::size_t part = vm::count_at(i, count);
    VI word = on_grid(bounds, inverse, planes + i, part);
    if (channels > 1) word = hn::Or(word, hn::ShiftLeft<8>(on_grid(bounds, inverse, planes + plane + i, part)));
    if (channels > 2) word = hn::Or(word, hn::ShiftLeft<16>(on_grid(bounds, inverse, planes + 2 * plane + i, part)));
    if (channels > 3) word = hn::Or(word, hn::ShiftLeft<24>(on_grid(bounds, inverse, planes + 3 * plane + i, part)));
    vm::store_part(hn::BitCast(D(), word), reinterpret_cast<float*>(y + 4 * i), part);
  }
}

void sum_all(const std::uint8_t* x, std::int64_t pixels, std::int64_t pixel, std::int64_t channels, std::int32_t* sums) {
  for (std::int64_t c = 0; c < channels; c += vm::lanes()) {
    const std::size_t part = vm::count_at(c, channels);
    VI sum = hn::Zero(Whole());
    for (std::int64_t i = 0; i < pixels; ++i) sum = hn::Add(sum, tg::load_bytes(x + i * pixel + c, part));
    vm::store_part(hn::BitCast(D(), sum), reinterpret_cast<float*>(sums + c), part);
  }
}

}  // namespace edgelab::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace edgelab::kernels {

HWY_EXPORT(quantize_all);
HWY_EXPORT(dequantize_all);
HWY_EXPORT(quantize_planes);
HWY_EXPORT(sum_all);

void quantize_rows(const float* from, std::int64_t from_ld, const U8Grid& grid, std::uint8_t* to, std::int64_t to_ld, std::int64_t rows, std::int64_t width) {
  HWY_DYNAMIC_DISPATCH(quantize_all)(from, from_ld, grid, to, to_ld, rows, width);
}
void dequantize_row(const std::uint8_t* x, std::int64_t count, const U8Grid& grid, float* y) { HWY_DYNAMIC_DISPATCH(dequantize_all)(x, count, grid, y); }
void quantize_pixels(const float* planes, std::int64_t plane, std::int64_t channels, std::int64_t count, const U8Grid& grid, std::uint8_t* y) {
  HWY_DYNAMIC_DISPATCH(quantize_planes)(planes, plane, channels, count, grid, y);
}
void sum_pixels(const std::uint8_t* x, std::int64_t pixels, std::int64_t pixel, std::int64_t channels, std::int32_t* sums) {
  HWY_DYNAMIC_DISPATCH(sum_all)(x, pixels, pixel, channels, sums);
}

}  // namespace edgelab::kernels
#endif
