// Compiled once for every instruction set (Highway's foreach_target).

#include "kernels/simd_targets.hpp"

#include "kernels/attention/softmax_rows.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/attention/softmax_rows.cpp"
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

constexpr float kLog2e = 1.44269504f;

// S · factor + bias · log2 e over a row, so that what follows has a factor of 1.
HWY_INLINE void add_bias(float* scores, const float* bias, std::int64_t count, float factor) {
  const std::int64_t step = vm::lanes();
  const V scale = hn::Set(D(), factor), log2e = hn::Set(D(), kLog2e);
  for (std::int64_t i = 0; i < count; i += step) {
    const std::size_t part = vm::count_at(i, count);
    const V x = hn::MulAdd(vm::load_part(bias + i, part), log2e, hn::Mul(vm::load_part(scores + i, part), scale));
    vm::store_part(x, scores + i, part);
  }
}

// Four sums at once hide that a maximum takes several cycles.
HWY_INLINE float row_maximum(const float* x, std::int64_t count) {
  const D d;
  const std::int64_t step = vm::lanes();
  const V lowest = hn::Set(d, -HUGE_VALF);
  V m0 = lowest, m1 = lowest, m2 = lowest, m3 = lowest;
  std::int64_t i = 0;
  for (; i + 4 * step <= count; i += 4 * step) {
    m0 = hn::Max(m0, hn::LoadU(d, x + i));
    m1 = hn::Max(m1, hn::LoadU(d, x + i + step));
    m2 = hn::Max(m2, hn::LoadU(d, x + i + 2 * step));
    m3 = hn::Max(m3, hn::LoadU(d, x + i + 3 * step));
  }
  for (; i + step <= count; i += step) m0 = hn::Max(m0, hn::LoadU(d, x + i));
  if (i < count) {
    const auto part = static_cast<std::size_t>(count - i);
    m1 = hn::Max(m1, hn::IfThenElse(hn::FirstN(d, part), vm::load_part(x + i, part), lowest));
  }
  return hn::GetLane(hn::MaxOfLanes(d, hn::Max(hn::Max(m0, m1), hn::Max(m2, m3))));
}

// The bf16 of probabilities: they are in [0, 1], so that adding half a step and cutting off rounds to nearest (ties away),
// in one instruction instead of five. NaN stays NaN unless its payload is all ones, which no arithmetic makes.
HWY_INLINE void store_probability(V p, std::uint16_t* to) {
  const vm::Words words;
  vm::store_halves(hn::ShiftRight<16>(hn::Add(hn::BitCast(words, p), hn::Set(words, 0x8000u))), to, hn::Lanes(words));
}

// P over one row in place, zeros from `count` to `columns`; returns ΣP. In bf16 what is summed is what was not yet rounded.
template <bool kNarrow> HWY_INLINE float row_powers(float* scores, std::int64_t count, std::int64_t columns, float factor, float offset) {
  const D d;
  const std::int64_t step = vm::lanes();
  constexpr Grade kGrade = kNarrow ? Grade::bf16 : Grade::f32;
  const V scale = hn::Set(d, factor), shift = hn::Set(d, offset);
  auto* narrow = reinterpret_cast<std::uint16_t*>(scores);
  V s0 = hn::Zero(d), s1 = hn::Zero(d);
  const auto power = [&](std::int64_t at) HWY_ATTR { return vm::exp2_nonpositive<kGrade>(hn::MulAdd(hn::LoadU(d, scores + at), scale, shift)); };
  const auto store = [&](V p, std::int64_t at) HWY_ATTR {
    if constexpr (kNarrow) {
      store_probability(p, narrow + at);
    } else {
      hn::StoreU(p, d, scores + at);
    }
  };
  std::int64_t i = 0;
  for (; i + 2 * step <= count; i += 2 * step) {
    const V p0 = power(i), p1 = power(i + step);
    s0 = hn::Add(s0, p0);
    s1 = hn::Add(s1, p1);
    store(p0, i);
    store(p1, i + step);
  }
  // The rest by whole vectors, masked: rows are padded to them.
  for (; i < columns; i += step) {
    const auto part = static_cast<std::size_t>(std::clamp<std::int64_t>(count - i, 0, step));
    const V p = hn::IfThenElseZero(hn::FirstN(d, part), power(i));
    s0 = hn::Add(s0, p);
    store(p, i);
  }
  return hn::GetLane(hn::SumOfLanes(d, hn::Add(s0, s1)));
}

HWY_INLINE void scale_row(float* x, std::int64_t count, float factor) {
  const std::int64_t step = vm::lanes();
  for (std::int64_t i = 0; i < count; i += step) {
    const std::size_t part = vm::count_at(i, count);
    vm::store_part(hn::Mul(vm::load_part(x + i, part), hn::Set(D(), factor)), x + i, part);
  }
}

template <bool kNarrow> void probabilities_of(const ScoreTile& t) {
  const float row_factor = t.bias == nullptr ? t.factor : 1.0f;
  for (std::int64_t row = 0; row < t.rows; ++row) {
    float* scores = t.scores + row * t.ld;
    const std::int64_t count = std::clamp<std::int64_t>(t.visible + row, 0, t.columns);
    if (t.bias != nullptr) add_bias(scores, t.bias + row * t.bias_ld, count, t.factor);
    const float before = t.first ? -HUGE_VALF : t.maximum[row];
    const float now = std::max(before, count == 0 ? -HUGE_VALF : row_maximum(scores, count) * row_factor);
    const float total = row_powers<kNarrow>(scores, count, t.columns, row_factor, now == -HUGE_VALF ? 0.0f : -now);
    t.maximum[row] = now;
    if (t.first) {
      t.sum[row] = total;
    } else if (now > before) {
      const float shrink = before == -HUGE_VALF ? 0.0f : std::exp2(before - now);
      t.sum[row] = t.sum[row] * shrink + total;
      scale_row(t.output + row * t.output_ld, t.head_width, shrink);
    } else {
      t.sum[row] += total;
    }
  }
}

void probabilities(const ScoreTile& t) { t.narrow ? probabilities_of<true>(t) : probabilities_of<false>(t); }

void divide(const OutputTile& t) {
  const std::int64_t step = vm::lanes();
  for (std::int64_t row = 0; row < t.rows; ++row) {
    const V share = hn::Set(D(), t.sum[row] == 0.0f ? 0.0f : 1.0f / t.sum[row]);
    for (std::int64_t i = 0; i < t.head_width; i += step) {
      const std::size_t part = vm::count_at(i, t.head_width);
      const V y = hn::Mul(vm::load_part(t.output + row * t.output_ld + i, part), share);
      if (t.narrow) {
        vm::store_bf16(y, static_cast<std::uint16_t*>(t.y) + row * t.y_ld + i, part);
      } else {
        vm::store_part(y, static_cast<float*>(t.y) + row * t.y_ld + i, part);
      }
    }
  }
}

SoftmaxRows make_softmax_rows() { return {probabilities, divide}; }

}  // namespace edgelab::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace edgelab::kernels {

HWY_EXPORT(make_softmax_rows);

SoftmaxRows softmax_rows() { return HWY_DYNAMIC_DISPATCH(make_softmax_rows)(); }

}  // namespace edgelab::kernels
#endif
