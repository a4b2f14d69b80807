// Included once for every instruction set, so the guard is Highway's toggle and not `#pragma once`.
#if defined(EDGELAB_VECTOR_MATH_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef EDGELAB_VECTOR_MATH_INL
#undef EDGELAB_VECTOR_MATH_INL
#else
#define EDGELAB_VECTOR_MATH_INL
#endif

#include <cmath>

#include "kernels/vector_math/partial-inl.hpp"
#include "kernels/vector_math/vector_math.hpp"

// exp, erf, GELU and softmax for kernels to inline. The errors stand in vector_math.hpp. Polynomials are minimax, by Remez'
// exchange in 40 digits, rounded to f32; "off by" is the polynomial alone.
HWY_BEFORE_NAMESPACE();
namespace edgelab::kernels::vector_math::HWY_NAMESPACE {

// Adding it to |x| < 2^22 rounds x to a whole number, which then stands in the low bits of the sum: the shift by 23 that puts
// it into an exponent drops the rest. Two instructions fewer than Round and ConvertTo.
constexpr float kRoundingMagic = 12582912.0f;  // 1.5 · 2^23

// 2^x for x ≤ 0: all that softmax needs, at half of what exp() costs. Below 2^-125 it is 0.
template <Grade kGrade> HWY_INLINE V exp2_nonpositive(V x) {
  const D d;
  const hn::RebindToSigned<D> integers;
  const V shifted = hn::Add(x, hn::Set(d, kRoundingMagic));
  const V r = hn::Sub(x, hn::Sub(shifted, hn::Set(d, kRoundingMagic)));  // in [-½, ½]
  V y;
  if constexpr (kGrade == Grade::f32) {  // off by 7.5e-8
    y = hn::MulAdd(hn::Set(d, 0.00132764759f), r, hn::Set(d, 0.00967554383f));
    y = hn::MulAdd(y, r, hn::Set(d, 0.0555071327f));
    y = hn::MulAdd(y, r, hn::Set(d, 0.240221197f));
    y = hn::MulAdd(y, r, hn::Set(d, 0.693146967f));
    y = hn::MulAdd(y, r, hn::Set(d, 1.00000007f));
  } else {  // off by 7.5e-5
    y = hn::MulAdd(hn::Set(d, 0.055171659f), r, hn::Set(d, 0.242611228f));
    y = hn::MulAdd(y, r, hn::Set(d, 0.693260994f));
    y = hn::MulAdd(y, r, hn::Set(d, 0.999928066f));
  }
  const auto exponent = hn::ShiftLeft<23>(hn::BitCast(integers, shifted));
  y = hn::BitCast(d, hn::Add(hn::BitCast(integers, y), exponent));
  // What came out below is noise. A NaN is not below, and stays.
  return hn::IfThenZeroElse(hn::Lt(x, hn::Set(d, -125.0f)), y);
}

// e^x, over the whole range of f32, subnormal results too.
HWY_INLINE V exp(V x) {
  const D d;
  const hn::RebindToSigned<D> integers;
  // Beyond these bounds the result is infinite or 0 anyway, and no exponent overflows.
  const V bounded = at_most(hn::Set(d, 89.0f), at_least(hn::Set(d, -104.0f), x));
  const V shifted = hn::MulAdd(bounded, hn::Set(d, 1.44269504f), hn::Set(d, kRoundingMagic));
  const V n = hn::Sub(shifted, hn::Set(d, kRoundingMagic));
  // n · ln 2 in two parts, the first of few enough bits to be exact.
  V r = hn::NegMulAdd(n, hn::Set(d, 0.693145752f), bounded);
  r = hn::NegMulAdd(n, hn::Set(d, 1.42860677e-6f), r);
  V y = hn::MulAdd(hn::Set(d, 0.0013836849f), r, hn::Set(d, 0.00837482434f));  // off by 2e-9
  y = hn::MulAdd(y, r, hn::Set(d, 0.0416682259f));
  y = hn::MulAdd(y, r, hn::Set(d, 0.166664201f));
  y = hn::MulAdd(y, r, hn::Set(d, 0.499999921f));
  y = hn::MulAdd(y, r, hn::Set(d, 1.0f));
  y = hn::MulAdd(y, r, hn::Set(d, 1.0f));
  // 2^n as two factors, since n reaches from -150 to 128.
  const auto bits = hn::Sub(hn::BitCast(integers, shifted), hn::BitCast(integers, hn::Set(d, kRoundingMagic)));
  const auto half = hn::ShiftRight<1>(bits);
  const auto one = hn::Set(integers, 127);
  const V first = hn::BitCast(d, hn::ShiftLeft<23>(hn::Add(half, one)));
  const V second = hn::BitCast(d, hn::ShiftLeft<23>(hn::Add(hn::Sub(bits, half), one)));
  return hn::Mul(hn::Mul(y, first), second);
}

// Φ(-m), the upper tail of the normal distribution, for m ≥ 0; 0 from `end` on. One polynomial around the middle needs no
// division and no exp. That cost 23 instructions where Abramowitz and Stegun's 7.1.26 (a quotient and an exp) cost 38 and
// had a similar error. Around the middle, since the powers of m itself would cancel; a little to the right of it, where
// m multiplies the roundings (around 2.75 they made 3e-7).
template <Grade kGrade> HWY_INLINE V normal_tail(V magnitude) {
  const D d;
  constexpr float kEnd = kGrade == Grade::f32 ? 5.5f : 4.0f;
  constexpr float kMiddle = kGrade == Grade::f32 ? 3.25f : 2.0f;
  const V u = hn::Sub(magnitude, hn::Set(d, kMiddle));
  V y;
  if constexpr (kGrade == Grade::f32) {  // m · Φ(-m) off by 7e-8
    y = hn::MulAdd(hn::Set(d, 1.45170081e-10f), u, hn::Set(d, -7.22375479e-10f));
    y = hn::MulAdd(y, u, hn::Set(d, -9.40859117e-09f));
    y = hn::MulAdd(y, u, hn::Set(d, 3.27021081e-08f));
    y = hn::MulAdd(y, u, hn::Set(d, 1.67453074e-07f));
    y = hn::MulAdd(y, u, hn::Set(d, -8.04855558e-07f));
    y = hn::MulAdd(y, u, hn::Set(d, -2.71122387e-07f));
    y = hn::MulAdd(y, u, hn::Set(d, 8.95028224e-06f));
    y = hn::MulAdd(y, u, hn::Set(d, -2.62856026e-05f));
    y = hn::MulAdd(y, u, hn::Set(d, 1.22708975e-05f));
    y = hn::MulAdd(y, u, hn::Set(d, 0.000191853257f));
    y = hn::MulAdd(y, u, hn::Set(d, -0.00086369962f));
    y = hn::MulAdd(y, u, hn::Set(d, 0.00207786287f));
    y = hn::MulAdd(y, u, hn::Set(d, -0.00323471356f));
    y = hn::MulAdd(y, u, hn::Set(d, 0.00329723948f));
    y = hn::MulAdd(y, u, hn::Set(d, -0.00202891872f));
    y = hn::MulAdd(y, u, hn::Set(d, 0.000577021877f));
  } else {  // m · Φ(-m) off by 6e-5
    y = hn::MulAdd(hn::Set(d, 6.20332735e-05f), u, hn::Set(d, -5.55447818e-05f));
    y = hn::MulAdd(y, u, hn::Set(d, -0.001105735f));
    y = hn::MulAdd(y, u, hn::Set(d, 0.00260001029f));
    y = hn::MulAdd(y, u, hn::Set(d, 0.00407237321f));
    y = hn::MulAdd(y, u, hn::Set(d, -0.0272664762f));
    y = hn::MulAdd(y, u, hn::Set(d, 0.0542408015f));
    y = hn::MulAdd(y, u, hn::Set(d, -0.053938142f));
    y = hn::MulAdd(y, u, hn::Set(d, 0.0227278457f));
  }
  return hn::IfThenElseZero(hn::Lt(magnitude, hn::Set(d, kEnd)), y);
}

// GELU (Hendrycks and Gimpel 2016), the exact one: x·Φ(x) = max(x, 0) − |x|·Φ(−|x|). An infinity on the left gives 0, the
// limit, since |x| is cut off first.
template <Grade kGrade> HWY_INLINE V gelu(V x) {
  const V magnitude = hn::Min(hn::Abs(x), hn::Set(D(), 16.0f));
  return hn::NegMulAdd(magnitude, normal_tail<kGrade>(magnitude), at_least(hn::Zero(D()), x));
}

// erf(x) = ±(1 − 2Φ(−√2·|x|)).
HWY_INLINE V erf(V x) {
  const D d;
  const V magnitude = hn::Min(hn::Mul(hn::Abs(x), hn::Set(d, 1.41421356f)), hn::Set(d, 16.0f));
  const V y = hn::CopySignToAbs(hn::NegMulAdd(hn::Set(d, 2.0f), normal_tail<Grade::f32>(magnitude), hn::Set(d, 1.0f)), x);
  return hn::IfThenElse(hn::IsNaN(x), x, y);
}

// The largest of count ≥ 1 numbers; NaNs may be overlooked.
HWY_INLINE float max_of(const float* x, std::int64_t count) {
  const D d;
  const std::int64_t step = lanes();
  V highest = hn::Set(d, x[0]);
  std::int64_t i = 0;
  for (; i + step <= count; i += step) highest = hn::Max(highest, hn::LoadU(d, x + i));
  float last = hn::GetLane(hn::MaxOfLanes(d, highest));
  for (; i < count; ++i) last = x[i] > last ? x[i] : last;
  return last;
}

// y = softmax(x · scale); may be in place. A row of -∞ alone gives zeros; one with a NaN gives NaN.
HWY_INLINE void softmax_row(const float* x, float* y, std::int64_t count, float scale) {
  const D d;
  constexpr float kLog2e = 1.44269504f;
  const float highest = max_of(x, count) * scale * kLog2e;
  const V factor = hn::Set(d, scale * kLog2e), offset = hn::Set(d, highest == -HUGE_VALF ? 0.0f : -highest);
  V sums = hn::Zero(d);
  for (std::int64_t i = 0; i < count; i += lanes()) {
    const auto part = static_cast<std::size_t>(count - i < lanes() ? count - i : lanes());
    const V power = exp2_nonpositive<Grade::f32>(hn::MulAdd(load_part(x + i, part), factor, offset));
    sums = hn::Add(sums, hn::IfThenElseZero(hn::FirstN(d, part), power));
    store_part(power, y + i, part);
  }
  const float sum = hn::GetLane(hn::SumOfLanes(d, sums));
  const V share = hn::Set(d, sum == 0.0f ? 0.0f : 1.0f / sum);
  for (std::int64_t i = 0; i < count; i += lanes()) {
    const auto part = static_cast<std::size_t>(count - i < lanes() ? count - i : lanes());
    store_part(hn::Mul(load_part(y + i, part), share), y + i, part);
  }
}

}  // namespace edgelab::kernels::vector_math::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
