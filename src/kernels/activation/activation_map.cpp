// Compiled once for every instruction set (Highway's foreach_target).

#include "kernels/simd_targets.hpp"

#include "kernels/activation/activation_map.hpp"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/activation/activation_map.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include "kernels/tile_gemm/simd_epilogue-inl.hpp"
#include "kernels/vector_math/vector_math-inl.hpp"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace edgelab::kernels::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
namespace vm = vector_math::HWY_NAMESPACE;
using vector_math::Grade;
using vm::D;
using vm::V;

// Φ(x) + x · φ(x)
HWY_INLINE V gelu_slope(V x) {
  const D d;
  const V magnitude = hn::Min(hn::Abs(x), hn::Set(d, 16.0f));
  const V tail = vm::normal_tail<Grade::f32>(magnitude);
  const V below = hn::IfThenElse(hn::Lt(x, hn::Zero(d)), tail, hn::Sub(hn::Set(d, 1.0f), tail));
  // φ(x) = 2^(−x² / 2 · log2 e) / √(2π)
  const V density = vm::exp2_nonpositive<Grade::f32>(hn::Mul(hn::Mul(magnitude, magnitude), hn::Set(d, -0.721347520f)));
  // Beyond the cut both are 0 or 1, and the product with an infinite x must not become a NaN.
  return hn::MulAdd(hn::Mul(hn::CopySign(magnitude, x), hn::Set(d, 0.398942280f)), density, below);
}

HWY_INLINE void store(V value, float* to, std::size_t count, bool) { vm::store_part(value, to, count); }
HWY_INLINE void store(V value, std::uint16_t* to, std::size_t count, bool natively) { tile_gemm::HWY_NAMESPACE::store_rounded(value, to, count, natively); }

template <class Y, class Function> HWY_INLINE void map(const float* x, Y* y, std::int64_t count, const Function& function) {
  const bool natively = tile_gemm::HWY_NAMESPACE::narrows_natively();
  const std::int64_t n = vm::lanes();
  std::int64_t i = 0;
  for (; i + n <= count; i += n) store(function(hn::LoadU(D(), x + i)), y + i, static_cast<std::size_t>(n), natively);
  if (i == count) return;
  const auto rest = static_cast<std::size_t>(count - i);
  store(function(vm::load_part(x + i, rest)), y + i, rest, natively);
}

template <class Function> HWY_INLINE void map_row(const float* x, const float* dy, float* dx, std::int64_t count, const Function& function) {
  const std::int64_t n = vm::lanes();
  std::int64_t i = 0;
  for (; i + n <= count; i += n) hn::StoreU(function(hn::LoadU(D(), x + i), hn::LoadU(D(), dy + i)), D(), dx + i);
  if (i == count) return;
  const auto part = static_cast<std::size_t>(count - i);
  vm::store_part(function(vm::load_part(x + i, part), vm::load_part(dy + i, part)), dx + i, part);
}

struct Rows {
  const float *x, *dy;
  float* dx;
  std::int64_t ld, rows, columns;
};

template <class Function> HWY_INLINE void map(const Rows& r, const Function& function) {
  for (std::int64_t row = 0; row < r.rows; ++row) map_row(r.x + row * r.ld, r.dy + row * r.ld, r.dx + row * r.ld, r.columns, function);
}

template <class Y> HWY_INLINE void map_kind(ActivationKind kind, const float* x, Y* y, std::int64_t count) {
  const V zero = hn::Zero(D()), six = hn::Set(D(), 6.0f);
  switch (kind) {
    case ActivationKind::none: return map(x, y, count, [](V v) HWY_ATTR { return v; });
    case ActivationKind::relu: return map(x, y, count, [=](V v) HWY_ATTR { return vm::at_least(zero, v); });
    case ActivationKind::relu6: return map(x, y, count, [=](V v) HWY_ATTR { return vm::at_most(six, vm::at_least(zero, v)); });
    case ActivationKind::gelu: return map(x, y, count, [](V v) HWY_ATTR { return vm::gelu<Grade::f32>(v); });
  }
}

void map_forward(ActivationKind kind, const float* x, float* y, std::int64_t count) { map_kind(kind, x, y, count); }
void map_to_bf16(ActivationKind kind, const float* x, std::uint16_t* y, std::int64_t count) { map_kind(kind, x, y, count); }

void map_backward(ActivationKind kind, const float* x, const float* dy, float* dx, std::int64_t ld, std::int64_t rows, std::int64_t columns) {
  const V zero = hn::Zero(D()), six = hn::Set(D(), 6.0f);
  const Rows all{x, dy, dx, ld, rows, columns};
  switch (kind) {
    case ActivationKind::none: return map(all, [](V, V g) HWY_ATTR { return g; });
    case ActivationKind::relu: return map(all, [=](V v, V g) HWY_ATTR { return hn::IfThenElseZero(hn::Gt(v, zero), g); });
    case ActivationKind::relu6: return map(all, [=](V v, V g) HWY_ATTR { return hn::IfThenElseZero(hn::And(hn::Gt(v, zero), hn::Lt(v, six)), g); });
    case ActivationKind::gelu: return map(all, [](V v, V g) HWY_ATTR { return hn::Mul(gelu_slope(v), g); });
  }
}

}  // namespace edgelab::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace edgelab::kernels {

HWY_EXPORT(map_forward);
HWY_EXPORT(map_to_bf16);
HWY_EXPORT(map_backward);

void activate(ActivationKind kind, const float* x, float* y, std::int64_t count) { HWY_DYNAMIC_DISPATCH(map_forward)(kind, x, y, count); }
void activate_to_bf16(ActivationKind kind, const float* x, std::uint16_t* y, std::int64_t count) { HWY_DYNAMIC_DISPATCH(map_to_bf16)(kind, x, y, count); }
void activate_backward(ActivationKind kind, const float* x, const float* dy, float* dx, std::int64_t count) {
  HWY_DYNAMIC_DISPATCH(map_backward)(kind, x, dy, dx, count, 1, count);
}
void activate_backward_rows(ActivationKind kind, const float* x, const float* dy, float* dx, std::int64_t ld, std::int64_t rows, std::int64_t columns) {
  HWY_DYNAMIC_DISPATCH(map_backward)(kind, x, dy, dx, ld, rows, columns);
}

}  // namespace edgelab::kernels
#endif
