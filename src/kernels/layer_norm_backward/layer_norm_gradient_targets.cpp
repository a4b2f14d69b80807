// Compiled once for every instruction set (Highway's foreach_target).

#include "kernels/simd_targets.hpp"

#include "kernels/layer_norm_backward/layer_norm_gradient_rows.hpp"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/layer_norm_backward/layer_norm_gradient_targets.cpp"
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

// Calls part(i, count) for each vector of a row; the last may be shorter.
template <class Part> HWY_INLINE void each_vector(std::int64_t width, const Part& part) {
  const std::int64_t n = vm::lanes();
  std::int64_t i = 0;
  for (; i + n <= width; i += n) part(i, static_cast<std::size_t>(n));
  if (i < width) part(i, static_cast<std::size_t>(width - i));
}

HWY_INLINE float sum(V lanes) { return hn::GetLane(hn::SumOfLanes(D(), lanes)); }
HWY_INLINE V only(std::size_t count, V value) { return hn::IfThenElseZero(hn::FirstN(D(), count), value); }

void differentiate_row(const LayerNormGradientRows& r, std::int64_t row) {
  const D d;
  const float *x = r.x + row * r.width, *dy = r.dy + row * r.width;
  const float* addend = r.addend == nullptr ? nullptr : r.addend + row * r.width;
  float* dx = r.dx + row * r.width;
  const float share = 1.0f / static_cast<float>(r.width);
  V total = hn::Zero(d);
  each_vector(r.width, [&](std::int64_t i, std::size_t count) HWY_ATTR { total = hn::Add(total, only(count, vm::load_part(x + i, count))); });
  const V mean = hn::Set(d, sum(total) * share);
  V squares = hn::Zero(d), gradients = hn::Zero(d), products = hn::Zero(d);
  each_vector(r.width, [&](std::int64_t i, std::size_t count) HWY_ATTR {
    const V difference = only(count, hn::Sub(vm::load_part(x + i, count), mean));
    const V gradient = only(count, hn::Mul(vm::load_part(dy + i, count), vm::load_part(r.weight + i, count)));
    squares = hn::MulAdd(difference, difference, squares);
    gradients = hn::Add(gradients, gradient);
    products = hn::MulAdd(gradient, difference, products);
  });
  const V scale = hn::Div(hn::Set(d, 1.0f), hn::Sqrt(hn::Set(d, sum(squares) * share + r.epsilon)));
  const V mean_gradient = hn::Set(d, sum(gradients) * share);
  const V mean_product = hn::Mul(hn::Set(d, sum(products) * share), scale);
  each_vector(r.width, [&](std::int64_t i, std::size_t count) HWY_ATTR {
    const V change = vm::load_part(dy + i, count);
    const V normal = hn::Mul(hn::Sub(vm::load_part(x + i, count), mean), scale);
    const V centred = hn::Sub(hn::Mul(change, vm::load_part(r.weight + i, count)), mean_gradient);
    const V other = addend == nullptr ? hn::Zero(d) : vm::load_part(addend + i, count);
    vm::store_part(hn::MulAdd(scale, hn::NegMulAdd(normal, mean_product, centred), other), dx + i, count);
    vm::store_part(hn::MulAdd(change, normal, vm::load_part(r.dweight + i, count)), r.dweight + i, count);
    vm::store_part(hn::Add(change, vm::load_part(r.dbias + i, count)), r.dbias + i, count);
  });
}

void differentiate_rows(const LayerNormGradientRows& r) {
  for (std::int64_t i = 0; i < r.width; ++i) r.dweight[i] = r.dbias[i] = 0.0f;
  for (std::int64_t row = 0; row < r.rows; ++row) differentiate_row(r, row);
}

}  // namespace edgelab::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace edgelab::kernels {

HWY_EXPORT(differentiate_rows);

void layer_norm_gradient_rows(const LayerNormGradientRows& rows) { HWY_DYNAMIC_DISPATCH(differentiate_rows)(rows); }

}  // namespace edgelab::kernels
#endif
