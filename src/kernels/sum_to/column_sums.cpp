// Compiled once for every instruction set (Highway's foreach_target).

#include "kernels/simd_targets.hpp"

#include "kernels/sum_to/column_sums.hpp"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/sum_to/column_sums.cpp"
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

void add_columns(const float* from, std::int64_t ld, std::int64_t rows, std::int64_t columns, float* to) {
  const D d;
  const std::int64_t n = vm::lanes();
  std::int64_t c = 0;
  for (; c + 4 * n <= columns; c += 4 * n) {
    const float* x = from + c;
    V s0 = hn::Zero(d), s1 = s0, s2 = s0, s3 = s0;
    for (std::int64_t r = 0; r < rows; ++r, x += ld) {
      s0 = hn::Add(s0, hn::LoadU(d, x));
      s1 = hn::Add(s1, hn::LoadU(d, x + n));
      s2 = hn::Add(s2, hn::LoadU(d, x + 2 * n));
      s3 = hn::Add(s3, hn::LoadU(d, x + 3 * n));
    }
    hn::StoreU(hn::Add(s0, hn::LoadU(d, to + c)), d, to + c);
    hn::StoreU(hn::Add(s1, hn::LoadU(d, to + c + n)), d, to + c + n);
    hn::StoreU(hn::Add(s2, hn::LoadU(d, to + c + 2 * n)), d, to + c + 2 * n);
    hn::StoreU(hn::Add(s3, hn::LoadU(d, to + c + 3 * n)), d, to + c + 3 * n);
  }
  for (; c < columns; c += n) {
    const auto count = static_cast<std::size_t>(HWY_MIN(n, columns - c));
    V sum = hn::Zero(d);
    for (std::int64_t r = 0; r < rows; ++r) sum = hn::Add(sum, vm::load_part(from + r * ld + c, count));
    vm::store_part(hn::Add(sum, vm::load_part(to + c, count)), to + c, count);
  }
}

float add_all(const float* from, std::int64_t count) {
  const D d;
  const std::int64_t n = vm::lanes();
  V a = hn::Zero(d), b = a, c = a, e = a;
  std::int64_t i = 0;
  for (; i + 4 * n <= count; i += 4 * n) {
    a = hn::Add(a, hn::LoadU(d, from + i));
    b = hn::Add(b, hn::LoadU(d, from + i + n));
    c = hn::Add(c, hn::LoadU(d, from + i + 2 * n));
    e = hn::Add(e, hn::LoadU(d, from + i + 3 * n));
  }
  for (; i < count; i += n) {
    const auto part = static_cast<std::size_t>(HWY_MIN(n, count - i));
    a = hn::Add(a, hn::IfThenElseZero(hn::FirstN(d, part), vm::load_part(from + i, part)));
  }
  return hn::GetLane(hn::SumOfLanes(d, hn::Add(hn::Add(a, b), hn::Add(c, e))));
}

}  // namespace edgelab::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace edgelab::kernels {

HWY_EXPORT(add_columns);
HWY_EXPORT(add_all);

void add_column_sums(const float* from, std::int64_t ld, std::int64_t rows, std::int64_t columns, float* to) {
  HWY_DYNAMIC_DISPATCH(add_columns)(from, ld, rows, columns, to);
}
float sum_of(const float* from, std::int64_t count) { return HWY_DYNAMIC_DISPATCH(add_all)(from, count); }

}  // namespace edgelab::kernels
#endif
