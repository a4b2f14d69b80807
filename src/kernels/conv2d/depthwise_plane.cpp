// Compiled once for every instruction set (Highway's foreach_target).
#include "kernels/simd_targets.hpp"

#include "kernels/conv2d/depthwise_plane.hpp"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/conv2d/depthwise_plane.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace edgelab::kernels::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using D = hn::CappedTag<float, kPlaneSlack>;
using V = hn::Vec<D>;

// Output rows at once: they share the loads of the input rows between them, most of which cross a cache line.
#if (HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3) || HWY_ARCH_ARM_A64
constexpr int kRows = 4;
#else
constexpr int kRows = 2;
#endif

HWY_INLINE void store(V sum, float* to) { hn::StoreU(hn::Min(hn::Set(D(), 6.0f), hn::Max(hn::Zero(D()), sum)), D(), to); }

// A vector that is in a register from here on: GCC would load it again for each of its uses.
HWY_INLINE V loaded(const float* from) {
  V value = hn::LoadU(D(), from);
#if HWY_ARCH_X86 && HWY_COMPILER_GCC && HWY_TARGET != HWY_SCALAR
  asm("" : "+v"(value.raw));
#endif
  return value;
}

// Where the three taps of a row are, from an output's own place.
struct Taps {
  std::int64_t before, at, behind;
};

// What input row kRow (from the first output's upper one) adds to output row kOut.
template <int kStride, int kRow, int kOut>
HWY_INLINE void add(V x0, V x1, V x2, V w0, V w1, V w2, V w3, V w4, V w5, V w6, V w7, V w8, V& sum) {
  constexpr int kTap = kRow - kOut * kStride;
  if constexpr (kTap == 0) sum = hn::MulAdd(x2, w2, hn::MulAdd(x1, w1, hn::MulAdd(x0, w0, sum)));
  if constexpr (kTap == 1) sum = hn::MulAdd(x2, w5, hn::MulAdd(x1, w4, hn::MulAdd(x0, w3, sum)));
  if constexpr (kTap == 2) sum = hn::MulAdd(x2, w8, hn::MulAdd(x1, w7, hn::MulAdd(x0, w6, sum)));
}

// Input rows kRow … and what they add to kN output rows.
template <int kStride, int kN, int kRow>
HWY_INLINE void add_rows(const float* x, std::int64_t pitch, const Taps& taps, V w0, V w1, V w2, V w3, V w4, V w5, V w6, V w7, V w8, V& s0, V& s1, V& s2, V& s3) {
  if constexpr (kRow < (kN - 1) * kStride + 3) {
    const float* row = x + kRow * pitch;
    const V x0 = loaded(row + taps.before), x1 = loaded(row + taps.at), x2 = loaded(row + taps.behind);
    add<kStride, kRow, 0>(x0, x1, x2, w0, w1, w2, w3, w4, w5, w6, w7, w8, s0);
    if constexpr (kN > 1) add<kStride, kRow, 1>(x0, x1, x2, w0, w1, w2, w3, w4, w5, w6, w7, w8, s1);
    if constexpr (kN > 2) add<kStride, kRow, 2>(x0, x1, x2, w0, w1, w2, w3, w4, w5, w6, w7, w8, s2);
    if constexpr (kN > 3) add<kStride, kRow, 3>(x0, x1, x2, w0, w1, w2, w3, w4, w5, w6, w7, w8, s3);
    add_rows<kStride, kN, kRow + 1>(x, pitch, taps, w0, w1, w2, w3, w4, w5, w6, w7, w8, s0, s1, s2, s3);
  }
}

// kN output rows from `first` on. The last vector first: what it writes behind its row is then written again.
template <int kStride, int kN> HWY_INLINE void some_rows(const DepthwisePlane& p, std::int64_t first, V bias, V w0, V w1, V w2, V w3, V w4, V w5, V w6, V w7, V w8) {
  const auto n = static_cast<std::int64_t>(hn::Lanes(D()));
  const std::int64_t pitch = p.layout.pitch(), pitch_out = p.layout.pitch_out();
  const Taps taps = kStride == 1 ? Taps{-1, 0, 1} : Taps{p.layout.odd() - 1, 0, p.layout.odd()};
  for (std::int64_t j = (p.layout.width_out() - 1) / n * n; j >= 0; j -= n) {
    V s0 = bias, s1 = bias, s2 = bias, s3 = bias;
    add_rows<kStride, kN, 0>(p.x + first * kStride * pitch + j, pitch, taps, w0, w1, w2, w3, w4, w5, w6, w7, w8, s0, s1, s2, s3);
    float* out = p.out + first * pitch_out + j;
    store(s0, out);
    if constexpr (kN > 1) store(s1, out + pitch_out);
    if constexpr (kN > 2) store(s2, out + 2 * pitch_out);
    if constexpr (kN > 3) store(s3, out + 3 * pitch_out);
  }
}

template <int kStride> void all_rows(const DepthwisePlane& p) {
  const auto weight = [&](int tap) HWY_ATTR { return hn::Set(D(), p.weights[tap]); };
  const V bias = hn::Set(D(), p.bias);
  const V w0 = weight(0), w1 = weight(1), w2 = weight(2), w3 = weight(3), w4 = weight(4), w5 = weight(5), w6 = weight(6), w7 = weight(7), w8 = weight(8);
  std::int64_t i = 0;
  for (; i + kRows <= p.rows; i += kRows) some_rows<kStride, kRows>(p, i, bias, w0, w1, w2, w3, w4, w5, w6, w7, w8);
  for (; i + 2 <= p.rows; i += 2) some_rows<kStride, 2>(p, i, bias, w0, w1, w2, w3, w4, w5, w6, w7, w8);
  if (i < p.rows) some_rows<kStride, 1>(p, i, bias, w0, w1, w2, w3, w4, w5, w6, w7, w8);
}

void run_plane(const DepthwisePlane& p) { p.layout.stride == 1 ? all_rows<1>(p) : all_rows<2>(p); }

}  // namespace edgelab::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace edgelab::kernels {

HWY_EXPORT(run_plane);

void depthwise_plane(const DepthwisePlane& plane) { HWY_DYNAMIC_DISPATCH(run_plane)(plane); }

}  // namespace edgelab::kernels
#endif
