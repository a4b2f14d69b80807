// Included once for every instruction set, so the guard is Highway's toggle and not `#pragma once`.
#if defined(EDGELAB_VECTOR_MATH_PAST_CACHE_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef EDGELAB_VECTOR_MATH_PAST_CACHE_INL
#undef EDGELAB_VECTOR_MATH_PAST_CACHE_INL
#else
#define EDGELAB_VECTOR_MATH_PAST_CACHE_INL
#endif

#include <cstdint>

#include <hwy/cache_control.h>
#include <hwy/highway.h>
#include "kernels/vector_math/partial-inl.hpp"

// For kernels whose images are larger than the caches: reading ahead, and writing without reading first.
HWY_BEFORE_NAMESPACE();
namespace edgelab::kernels::vector_math::HWY_NAMESPACE {

// Whether rows of vectors from `to` on, `step` floats apart, can go past the caches: those instructions want whole aligned vectors.
HWY_INLINE bool streams_to(const void* to, std::int64_t step) {
  return step % lanes() == 0 && reinterpret_cast<std::uintptr_t>(to) % (static_cast<std::size_t>(lanes()) * sizeof(float)) == 0;
}

// Brings [from, end) into L2 line by line in the course of `steps` calls of fetch(), to be read or to be written.
template <bool kToWrite> class LinesAhead {
 public:
  LinesAhead(const float* from, const float* end, std::int64_t steps) : at_(from), end_(end) {
    const std::int64_t lines = (end - from + kLine - 1) / kLine;
    lines_ = steps > 0 ? (lines + steps - 1) / steps : 0;
  }
  HWY_INLINE void fetch() {
    for (std::int64_t i = 0; i < lines_ && at_ < end_; ++i, at_ += kLine) {
#if defined(__GNUC__)
      __builtin_prefetch(at_, kToWrite ? 1 : 0, 2);
#endif
    }
  }

 private:
  static constexpr std::int64_t kLine = 16;  // floats
  const float *at_, *end_;
  std::int64_t lines_ = 0;
};
using Ahead = LinesAhead<false>;
using AheadToWrite = LinesAhead<true>;

}  // namespace edgelab::kernels::vector_math::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
