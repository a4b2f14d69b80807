// Compiled once for every instruction set (Highway's foreach_target).

#include "kernels/simd_targets.hpp"

#include "kernels/vector_math/vector_math.hpp"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/vector_math/vector_math.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include "kernels/vector_math/vector_math-inl.hpp"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace edgelab::kernels::vector_math::HWY_NAMESPACE {

template <class Function> HWY_INLINE void map(const float* x, float* y, std::int64_t count, const Function& function) {
  const std::int64_t step = lanes();
  std::int64_t i = 0;
  for (; i + step <= count; i += step) hn::StoreU(function(hn::LoadU(D(), x + i)), D(), y + i);
  if (i < count) store_part(function(load_part(x + i, static_cast<std::size_t>(count - i))), y + i, static_cast<std::size_t>(count - i));
}

void map_exp(const float* x, float* y, std::int64_t count) { map(x, y, count, [](V v) HWY_ATTR { return exp(v); }); }
void map_exp2(const float* x, float* y, std::int64_t count) { map(x, y, count, [](V v) HWY_ATTR { return exp2_nonpositive<Grade::f32>(v); }); }
void map_exp2_bf16(const float* x, float* y, std::int64_t count) {
  map(x, y, count, [](V v) HWY_ATTR { return exp2_nonpositive<Grade::bf16>(v); });
}
void map_erf(const float* x, float* y, std::int64_t count) { map(x, y, count, [](V v) HWY_ATTR { return erf(v); }); }
void map_gelu(const float* x, float* y, std::int64_t count) { map(x, y, count, [](V v) HWY_ATTR { return gelu<Grade::f32>(v); }); }
void map_gelu_bf16(const float* x, float* y, std::int64_t count) { map(x, y, count, [](V v) HWY_ATTR { return gelu<Grade::bf16>(v); }); }
void softmax(const float* x, float* y, std::int64_t count, float scale) { softmax_row(x, y, count, scale); }

Functions make_functions() { return {map_exp, map_exp2, map_exp2_bf16, map_erf, map_gelu, map_gelu_bf16, softmax, lanes()}; }

}  // namespace edgelab::kernels::vector_math::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace edgelab::kernels::vector_math {

HWY_EXPORT(make_functions);

Functions functions() { return HWY_DYNAMIC_DISPATCH(make_functions)(); }

}  // namespace edgelab::kernels::vector_math
#endif
