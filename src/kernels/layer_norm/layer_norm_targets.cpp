// Compiled once for every instruction set (Highway's foreach_target).

// As in tile_gemm: AVX2 and up, and the baseline as the last resort.
#include "kernels/simd_targets.hpp"

#include "kernels/layer_norm/layer_norm_rows.hpp"
#include "kernels/prefetch.hpp"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/layer_norm/layer_norm_targets.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include "kernels/tile_gemm/simd_epilogue-inl.hpp"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace edgelab::kernels::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
namespace vm = vector_math::HWY_NAMESPACE;
using vm::count_at;
using vm::D;
using vm::lanes;
using vm::V;

// Σ term(vector) over a row in four chains, so that additions need not wait for each other.
template <class Term> HWY_INLINE float sum_of(const float* x, std::int64_t width, const Term& term) {
  const D d;
  const std::int64_t n = lanes();
  V a = hn::Zero(d), b = a, c = a, e = a;
  std::int64_t i = 0;
  for (; i + 4 * n <= width; i += 4 * n) {
    a = hn::Add(a, term(hn::LoadU(d, x + i)));
    b = hn::Add(b, term(hn::LoadU(d, x + i + n)));
    c = hn::Add(c, term(hn::LoadU(d, x + i + 2 * n)));
    e = hn::Add(e, term(hn::LoadU(d, x + i + 3 * n)));
  }
  for (; i + n <= width; i += n) a = hn::Add(a, term(hn::LoadU(d, x + i)));
  if (i < width) {
    const std::size_t count = count_at(i, width);
    b = hn::Add(b, hn::IfThenElseZero(hn::FirstN(d, count), term(vm::load_part(x + i, count))));
  }
  return hn::GetLane(hn::SumOfLanes(d, hn::Add(hn::Add(a, b), hn::Add(c, e))));
}

// f32 onto a grid, and out as u8.
struct ToU8 {
  explicit ToU8(const U8Grid& grid) : factor(grid.inverse()), bounds(grid.bounds()) {}
  HWY_INLINE void store(V value, std::uint8_t* to, std::size_t count) const {
    tile_gemm::HWY_NAMESPACE::store_bytes(tile_gemm::HWY_NAMESPACE::to_u8(bounds, hn::Mul(value, hn::Set(D(), factor))), to, count);
  }
  float factor;
  tile_gemm::Requantize bounds;
};

void norm_row(const LayerNormRows& r, const ToU8& to_u8, std::int64_t row) {
  const D d;
  const float* x = r.x + row * r.x_ld;
  const auto width = static_cast<float>(r.width);
  const V mean = hn::Set(d, sum_of(x, r.width, [](V v) HWY_ATTR { return v; }) / width);
  const float variance = sum_of(x, r.width, [mean](V v) HWY_ATTR {
                           const V difference = hn::Sub(v, mean);
                           return hn::Mul(difference, difference);
                         }) / width;
  const V scale = hn::Div(hn::Set(d, 1.0f), hn::Sqrt(hn::Set(d, variance + r.epsilon)));
  for (std::int64_t i = 0; i < r.width; i += lanes()) {
    const std::size_t count = count_at(i, r.width);
    const V value = vm::load_part(x + i, count);
    const V normal = hn::Mul(hn::Sub(value, mean), scale);
    const V y = hn::MulAdd(normal, vm::load_part(r.weight + i, count), vm::load_part(r.bias + i, count));
    if (r.y_type == DType::f32) {
      vm::store_part(y, static_cast<float*>(r.y) + row * r.y_ld + i, count);
    } else if (r.y_type == DType::u8) {
      to_u8.store(y, static_cast<std::uint8_t*>(r.y) + row * r.y_ld + i, count);
    } else {
      vm::store_bf16(y, static_cast<std::uint16_t*>(r.y) + row * r.y_ld + i, count);
    }
    if (r.total == nullptr) continue;
    const V total = r.addend == nullptr ? value : hn::Add(value, vm::load_part(r.addend + i, count));
    vm::store_part(total, r.total + row * r.total_ld + i, count);
  }
}

void norm_rows(const LayerNormRows& r) {
  const ToU8 to_u8(r.grid);
  for (std::int64_t row = 0; row < r.rows; ++row) norm_row(r, to_u8, row);
}

void round_all(const float* from, std::int64_t from_ld, std::uint16_t* to, std::int64_t to_ld, std::int64_t rows, std::int64_t width) {
  const bool natively = tile_gemm::HWY_NAMESPACE::narrows_natively();
  for (std::int64_t row = 0; row < rows; ++row) {
    if (from_ld != width && row + kRowsAhead < rows) prefetch_row(from + (row + kRowsAhead) * from_ld, 4 * width);
    const float* x = from + row * from_ld;
    std::uint16_t* y = to + row * to_ld;
    const std::int64_t n = lanes();
    std::int64_t i = 0;
    for (; i + n <= width; i += n) tile_gemm::HWY_NAMESPACE::store_rounded(hn::LoadU(D(), x + i), y + i, static_cast<std::size_t>(n), natively);
    if (i == width) continue;
    const auto rest = static_cast<std::size_t>(width - i);
    tile_gemm::HWY_NAMESPACE::store_rounded(vm::load_part(x + i, rest), y + i, rest, natively);
  }
}

}  // namespace edgelab::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace edgelab::kernels {

HWY_EXPORT(norm_rows);
HWY_EXPORT(round_all);

void layer_norm_rows(const LayerNormRows& rows) { HWY_DYNAMIC_DISPATCH(norm_rows)(rows); }
void round_rows(const float* from, std::int64_t from_ld, std::uint16_t* to, std::int64_t to_ld, std::int64_t rows, std::int64_t width) {
  HWY_DYNAMIC_DISPATCH(round_all)(from, from_ld, to, to_ld, rows, width);
}

}  // namespace edgelab::kernels
#endif
