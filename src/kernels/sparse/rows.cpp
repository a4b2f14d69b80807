// Compiled once for every instruction set (Highway's foreach_target).
#include "kernels/simd_targets.hpp"

#include "kernels/sparse/rows.hpp"

#include <algorithm>

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/sparse/rows.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace edgelab::kernels::sparse::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
// No wider than the grain of points, whatever the machine has.
using D = hn::CappedTag<float, kPointGrain>;
using V = hn::Vec<D>;

HWY_INLINE std::int64_t lanes() { return static_cast<std::int64_t>(hn::Lanes(D())); }

// Vectors of points whose sums are in registers at once. Each entry costs a broadcast of its value (one of four in a block of
// four) and the loads of its points. Sums are spelled out: vectors of Arm SVE can't stand in arrays.
constexpr int kMostOfOne = 8;
#if (HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3) || HWY_ARCH_ARM_A64
constexpr int kMostOfFour = 4;
#else
constexpr int kMostOfFour = 2;
#endif

struct Entries {
  const std::int32_t* columns;
  const float* values;
  std::int64_t count;
};

HWY_INLINE void store(const Rows& r, V sum, float* y, std::int64_t point) {
  const V high = r.ceiling == nullptr ? hn::Set(D(), r.high) : hn::LoadU(D(), r.ceiling + point);
  hn::StoreU(hn::Min(high, hn::Max(hn::Set(D(), r.low), sum)), D(), y + point);
}

// kN vectors of one row.
template <int kN> HWY_INLINE void one_row(const Rows& r, const Entries& e, float bias, float* y, std::int64_t point) {
  const D d;
  const std::int64_t n = lanes();
  V s0 = hn::Set(d, bias), s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0;
  for (std::int64_t i = 0; i < e.count; ++i) {
    const V w = hn::Set(d, e.values[i]);
    const float* x = r.x + e.columns[i] * r.x_ld + point;
    s0 = hn::MulAdd(w, hn::LoadU(d, x), s0);
    if constexpr (kN > 1) s1 = hn::MulAdd(w, hn::LoadU(d, x + n), s1);
    if constexpr (kN > 2) s2 = hn::MulAdd(w, hn::LoadU(d, x + 2 * n), s2);
    if constexpr (kN > 3) s3 = hn::MulAdd(w, hn::LoadU(d, x + 3 * n), s3);
    if constexpr (kN > 4) s4 = hn::MulAdd(w, hn::LoadU(d, x + 4 * n), s4);
    if constexpr (kN > 5) s5 = hn::MulAdd(w, hn::LoadU(d, x + 5 * n), s5);
    if constexpr (kN > 6) s6 = hn::MulAdd(w, hn::LoadU(d, x + 6 * n), s6);
    if constexpr (kN > 7) s7 = hn::MulAdd(w, hn::LoadU(d, x + 7 * n), s7);
  }
  store(r, s0, y, point);
  if constexpr (kN > 1) store(r, s1, y, point + n);
  if constexpr (kN > 2) store(r, s2, y, point + 2 * n);
  if constexpr (kN > 3) store(r, s3, y, point + 3 * n);
  if constexpr (kN > 4) store(r, s4, y, point + 4 * n);
  if constexpr (kN > 5) store(r, s5, y, point + 5 * n);
  if constexpr (kN > 6) store(r, s6, y, point + 6 * n);
  if constexpr (kN > 7) store(r, s7, y, point + 7 * n);
}

template <int kN> HWY_INLINE void add(V w, V x0, V x1, V x2, V x3, V& s0, V& s1, V& s2, V& s3) {
  s0 = hn::MulAdd(w, x0, s0);
  if constexpr (kN > 1) s1 = hn::MulAdd(w, x1, s1);
  if constexpr (kN > 2) s2 = hn::MulAdd(w, x2, s2);
  if constexpr (kN > 3) s3 = hn::MulAdd(w, x3, s3);
}

template <int kN> HWY_INLINE void store_row(const Rows& r, float* y, std::int64_t point, V s0, V s1, V s2, V s3) {
  const std::int64_t n = lanes();
  store(r, s0, y, point);
  if constexpr (kN > 1) store(r, s1, y, point + n);
  if constexpr (kN > 2) store(r, s2, y, point + 2 * n);
  if constexpr (kN > 3) store(r, s3, y, point + 3 * n);
}

// kN vectors of four rows, of which the last `rows` of the weight may be fewer.
template <int kN> HWY_INLINE void four_rows(const Rows& r, const Entries& e, const float* bias, std::int64_t rows, float* y, std::int64_t point) {
  const D d;
  const std::int64_t n = lanes();
  const auto bias_of = [&](std::int64_t row) HWY_ATTR { return hn::Set(d, bias != nullptr && row < rows ? bias[row] : 0.0f); };
  V a0 = bias_of(0), a1 = a0, a2 = a0, a3 = a0, b0 = bias_of(1), b1 = b0, b2 = b0, b3 = b0;
  V c0 = bias_of(2), c1 = c0, c2 = c0, c3 = c0, d0 = bias_of(3), d1 = d0, d2 = d0, d3 = d0;
  for (std::int64_t i = 0; i < e.count; ++i) {
    const float* x = r.x + e.columns[i] * r.x_ld + point;
    const float* w = e.values + 4 * i;
    const V x0 = hn::LoadU(d, x), x1 = kN > 1 ? hn::LoadU(d, x + n) : x0;
    const V x2 = kN > 2 ? hn::LoadU(d, x + 2 * n) : x0, x3 = kN > 3 ? hn::LoadU(d, x + 3 * n) : x0;
    add<kN>(hn::Set(d, w[0]), x0, x1, x2, x3, a0, a1, a2, a3);
    add<kN>(hn::Set(d, w[1]), x0, x1, x2, x3, b0, b1, b2, b3);
    add<kN>(hn::Set(d, w[2]), x0, x1, x2, x3, c0, c1, c2, c3);
    add<kN>(hn::Set(d, w[3]), x0, x1, x2, x3, d0, d1, d2, d3);
  }
  store_row<kN>(r, y, point, a0, a1, a2, a3);
  if (rows > 1) store_row<kN>(r, y + r.y_ld, point, b0, b1, b2, b3);
  if (rows > 2) store_row<kN>(r, y + 2 * r.y_ld, point, c0, c1, c2, c3);
  if (rows > 3) store_row<kN>(r, y + 3 * r.y_ld, point, d0, d1, d2, d3);
}

// Calls part(vectors, point) with all points in parts of at most kMost vectors, as equal as can be.
template <int kMost, class Part> HWY_INLINE void in_parts(std::int64_t points, const Part& part) {
  const std::int64_t vectors = (points + lanes() - 1) / lanes(), parts = (vectors + kMost - 1) / kMost;
  for (std::int64_t p = 0; p < parts; ++p) {
    const std::int64_t begin = vectors * p / parts, end = vectors * (p + 1) / parts;
    part(static_cast<int>(end - begin), begin * lanes());
  }
}

void multiply_rows(const Rows& r, const Entries& e, float bias, float* y) {
  in_parts<kMostOfOne>(r.points, [&](int vectors, std::int64_t point) HWY_ATTR {
    switch (vectors) {
      case 1: return one_row<1>(r, e, bias, y, point);
      case 2: return one_row<2>(r, e, bias, y, point);
      case 3: return one_row<3>(r, e, bias, y, point);
      case 4: return one_row<4>(r, e, bias, y, point);
      case 5: return one_row<5>(r, e, bias, y, point);
      case 6: return one_row<6>(r, e, bias, y, point);
      case 7: return one_row<7>(r, e, bias, y, point);
      default: return one_row<8>(r, e, bias, y, point);
    }
  });
}

void multiply_fours(const Rows& r, const Entries& e, const float* bias, std::int64_t rows, float* y) {
  in_parts<kMostOfFour>(r.points, [&](int vectors, std::int64_t point) HWY_ATTR {
    switch (vectors) {
      case 1: return four_rows<1>(r, e, bias, rows, y, point);
      case 2: return four_rows<2>(r, e, bias, rows, y, point);
      case 3: return four_rows<3>(r, e, bias, rows, y, point);
      default: return four_rows<4>(r, e, bias, rows, y, point);
    }
  });
}

void multiply_blocks(const PackedWeight& weight, std::int64_t begin, std::int64_t end, const Rows& r) {
  const std::int64_t block = weight.block();
  for (std::int64_t b = begin; b < end; ++b) {
    const std::int32_t first = weight.begins()[b], last = weight.begins()[b + 1];
    const Entries entries{weight.columns() + first, weight.values() + first * block, last - first};
    float* y = r.y + (b - begin) * block * r.y_ld;
    const float* bias = r.bias == nullptr ? nullptr : r.bias + b * block;
    if (block == 1) {
      multiply_rows(r, entries, bias == nullptr ? 0.0f : *bias, y);
    } else {
      multiply_fours(r, entries, bias, std::min<std::int64_t>(block, weight.rows() - b * block), y);
    }
  }
}

HWY_INLINE void turn_singly(const Turn& t) {
  for (std::int64_t c = 0; c < t.columns; ++c) {
    for (std::int64_t r = 0; r < t.rows; ++r) {
      const float addend = t.addend == nullptr ? 0.0f : t.addend[c * t.addend_ld + r];
      t.to[c * t.to_ld + r] = t.from[r * t.from_ld + c] + addend;
    }
  }
}

#if HWY_TARGET == HWY_SCALAR
void turn_all(const Turn& t) { turn_singly(t); }
#else
using Four = hn::CappedTag<float, 4>;

// Four rows by four columns.
HWY_INLINE void turn_four(const Turn& t, std::int64_t row, std::int64_t column) {
  const Four d;
  const hn::RepartitionToWide<Four> wide;
  const float* from = t.from + row * t.from_ld + column;
  const auto r0 = hn::LoadU(d, from), r1 = hn::LoadU(d, from + t.from_ld), r2 = hn::LoadU(d, from + 2 * t.from_ld), r3 = hn::LoadU(d, from + 3 * t.from_ld);
  const auto low01 = hn::BitCast(wide, hn::InterleaveLower(d, r0, r1)), high01 = hn::BitCast(wide, hn::InterleaveUpper(d, r0, r1));
  const auto low23 = hn::BitCast(wide, hn::InterleaveLower(d, r2, r3)), high23 = hn::BitCast(wide, hn::InterleaveUpper(d, r2, r3));
  const auto put = [&](std::int64_t i, auto value) HWY_ATTR {
    auto sum = hn::BitCast(d, value);
    if (t.addend != nullptr) sum = hn::Add(sum, hn::LoadU(d, t.addend + (column + i) * t.addend_ld + row));
    hn::StoreU(sum, d, t.to + (column + i) * t.to_ld + row);
  };
  put(0, hn::InterleaveLower(wide, low01, low23));
  put(1, hn::InterleaveUpper(wide, low01, low23));
  put(2, hn::InterleaveLower(wide, high01, high23));
  put(3, hn::InterleaveUpper(wide, high01, high23));
}

// The last blocks overlap the ones before where the size is no multiple of four.
void turn_all(const Turn& t) {
  if (t.rows < 4 || t.columns < 4) return turn_singly(t);
  for (std::int64_t c = 0; c < t.columns; c += 4) {
    for (std::int64_t r = 0; r < t.rows; r += 4) turn_four(t, std::min(r, t.rows - 4), std::min(c, t.columns - 4));
  }
}
#endif

}  // namespace edgelab::kernels::sparse::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace edgelab::kernels::sparse {

HWY_EXPORT(multiply_blocks);
HWY_EXPORT(turn_all);

void multiply(const PackedWeight& weight, std::int64_t begin, std::int64_t end, const Rows& rows) {
  HWY_DYNAMIC_DISPATCH(multiply_blocks)(weight, begin, end, rows);
}
void turn(const Turn& turn) { HWY_DYNAMIC_DISPATCH(turn_all)(turn); }

}  // namespace edgelab::kernels::sparse
#endif
