// Compiled once for every instruction set (Highway's foreach_target).
#include "kernels/simd_targets.hpp"

#include "kernels/fake_quantize/fake_quantize_rows.hpp"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/fake_quantize/fake_quantize_rows.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include "kernels/vector_math/vector_math-inl.hpp"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace edgelab::kernels::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
namespace vm = vector_math::HWY_NAMESPACE;
using vm::D;
using vm::V;

struct Settings {
  V scale, inverse, zero_point, low, high;

  Settings(const FakeQuantize& op, float s)
      : scale(hn::Set(D(), s)),
        inverse(hn::Set(D(), 1.0f / s)),
        zero_point(hn::Set(D(), static_cast<float>(op.zero_point))),
        low(hn::Set(D(), static_cast<float>(op.low))),
        high(hn::Set(D(), static_cast<float>(op.high))) {}

  HWY_INLINE V units(V x) const { return hn::MulAdd(x, inverse, zero_point); }
  HWY_INLINE V clamped(V nearest) const { return vm::at_most(high, vm::at_least(low, nearest)); }
};

void quantize_part(const FakeQuantize& op, float scale, const float* x, std::int64_t count, float* y) {
  const Settings settings(op, scale);
  for (std::int64_t i = 0; i < count; i += vm::lanes()) {
    const std::size_t part = vm::count_at(i, count);
    const V q = settings.clamped(hn::Round(settings.units(vm::load_part(x + i, part))));
    vm::store_part(hn::Mul(hn::Sub(q, settings.zero_point), settings.scale), y + i, part);
  }
}

float backward_part(const FakeQuantize& op, float scale, const float* x, const float* dy, std::int64_t count, float* dx) {
  const Settings settings(op, scale);
  V sum = hn::Zero(D());
  for (std::int64_t i = 0; i < count; i += vm::lanes()) {
    const std::size_t part = vm::count_at(i, count);
    const V units = settings.units(vm::load_part(x + i, part)), slope = vm::load_part(dy + i, part);
    const V nearest = hn::Round(units);
    const auto inside = hn::And(hn::Ge(nearest, settings.low), hn::Le(nearest, settings.high));
    vm::store_part(hn::IfThenElseZero(inside, slope), dx + i, part);
    const V error = hn::IfThenElse(inside, hn::Sub(nearest, units), hn::Sub(settings.clamped(nearest), settings.zero_point));
    sum = hn::MulAdd(slope, error, sum);
  }
  return hn::GetLane(hn::SumOfLanes(D(), sum));
}

}  // namespace edgelab::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace edgelab::kernels {

HWY_EXPORT(quantize_part);
HWY_EXPORT(backward_part);

void fake_quantize_row(const FakeQuantize& op, float scale, const float* x, std::int64_t count, float* y) {
  HWY_DYNAMIC_DISPATCH(quantize_part)(op, scale, x, count, y);
}
float fake_quantize_backward_row(const FakeQuantize& op, float scale, const float* x, const float* dy, std::int64_t count, float* dx) {
  return HWY_DYNAMIC_DISPATCH(backward_part)(op, scale, x, dy, count, dx);
}

}  // namespace edgelab::kernels
#endif
