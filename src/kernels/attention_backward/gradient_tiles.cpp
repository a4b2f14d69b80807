// Compiled once for every instruction set (Highway's foreach_target).

#include "kernels/simd_targets.hpp"

#include "kernels/attention_backward/gradient_tiles.hpp"
#include "kernels/prefetch.hpp"

#include <algorithm>

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/attention_backward/gradient_tiles.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include "kernels/vector_math/vector_math-inl.hpp"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace edgelab::kernels::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
namespace vm = vector_math::HWY_NAMESPACE;
using vector_math::Grade;
using vm::D;
using vm::V;

template <bool kNarrow> void differentiate_tile(const GradientTile& t) {
  const D d;
  const std::int64_t step = vm::lanes();
  constexpr Grade kGrade = kNarrow ? Grade::bf16 : Grade::f32;
  const V factor = hn::Set(d, t.factor), log2e = hn::Set(d, 1.44269504f);
  for (std::int64_t key = 0; key < t.keys; ++key) {
    float *scores = t.scores + key * t.ld, *gradients = t.gradients + key * t.ld;
    const std::int64_t unseen = std::clamp<std::int64_t>(t.seen_from + key, 0, t.queries);
    for (std::int64_t i = 0; i < t.queries; i += step) {
      const std::size_t part = vm::count_at(i, t.queries);
      V x = hn::MulAdd(hn::LoadU(d, scores + i), factor, vm::load_part(t.shift + i, part));
      if (t.bias != nullptr) x = hn::MulAdd(hn::LoadU(d, t.bias + key * t.ld + i), log2e, x);
      const auto hidden = hn::FirstN(d, static_cast<std::size_t>(std::clamp<std::int64_t>(unseen - i, 0, step)));
      // Beyond the last query lies what no one wrote.
      const V p = hn::IfThenZeroElse(hidden, hn::IfThenElseZero(hn::FirstN(d, part), vm::exp2_nonpositive<kGrade>(x)));
      const V change = hn::IfThenElseZero(hn::FirstN(d, part), hn::Sub(hn::LoadU(d, gradients + i), vm::load_part(t.delta + i, part)));
      hn::StoreU(hn::Mul(p, change), d, gradients + i);
      if constexpr (kNarrow) {
        vm::store_bf16(p, reinterpret_cast<std::uint16_t*>(scores) + i, static_cast<std::size_t>(step));
      } else {
        hn::StoreU(p, d, scores + i);
      }
    }
  }
}

void differentiate(const GradientTile& t) { t.narrow ? differentiate_tile<true>(t) : differentiate_tile<false>(t); }

void row_products(const float* a, const void* b, bool narrow, std::int64_t ld, std::int64_t rows, std::int64_t columns, float* delta) {
  const D d;
  const std::int64_t step = vm::lanes();
  for (std::int64_t row = 0; row < rows; ++row) {
    if (row + kRowsAhead < rows) {
      const std::int64_t next = (row + kRowsAhead) * ld;
      prefetch_row(a + next, 4 * columns);
      prefetch_row(static_cast<const std::uint8_t*>(b) + next * (narrow ? 2 : 4), columns * (narrow ? 2 : 4));
    }
    V sum = hn::Zero(d);
    for (std::int64_t i = 0; i < columns; i += step) {
      const std::size_t part = vm::count_at(i, columns);
      const V other = narrow ? vm::load_bf16(static_cast<const std::uint16_t*>(b) + row * ld + i, part)
                             : vm::load_part(static_cast<const float*>(b) + row * ld + i, part);
      sum = hn::MulAdd(vm::load_part(a + row * ld + i, part), other, sum);
    }
    delta[row] = hn::GetLane(hn::SumOfLanes(d, sum));
  }
}

void copy_scaled(const float* from, std::int64_t from_ld, float* to, std::int64_t to_ld, std::int64_t rows, std::int64_t columns, float factor) {
  const std::int64_t step = vm::lanes();
  for (std::int64_t row = 0; row < rows; ++row) {
    if (row + kRowsAhead < rows) prefetch_row(to + (row + kRowsAhead) * to_ld, 4 * columns);
    for (std::int64_t i = 0; i < columns; i += step) {
      const std::size_t part = vm::count_at(i, columns);
      vm::store_part(hn::Mul(vm::load_part(from + row * from_ld + i, part), hn::Set(D(), factor)), to + row * to_ld + i, part);
    }
  }
}

GradientTiles make_gradient_tiles() { return {differentiate, row_products, copy_scaled}; }

}  // namespace edgelab::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace edgelab::kernels {

HWY_EXPORT(make_gradient_tiles);

GradientTiles gradient_tiles() { return HWY_DYNAMIC_DISPATCH(make_gradient_tiles)(); }

}  // namespace edgelab::kernels
#endif
