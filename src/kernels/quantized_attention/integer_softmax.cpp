// Compiled once for every instruction set (Highway's foreach_target).

#include "kernels/simd_targets.hpp"

#include "kernels/quantized_attention/integer_softmax.hpp"

#include <algorithm>
#include <limits>

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/quantized_attention/integer_softmax.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include "kernels/tile_gemm/simd_requantize-inl.hpp"
#include "kernels/vector_math/vector_math-inl.hpp"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace edgelab::kernels::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
namespace vm = vector_math::HWY_NAMESPACE;
using vm::D;
using vm::V;
using tile_gemm::HWY_NAMESPACE::load_part;
using tile_gemm::HWY_NAMESPACE::nearest;
using tile_gemm::HWY_NAMESPACE::store_bytes;
using tile_gemm::HWY_NAMESPACE::VI;
using tile_gemm::HWY_NAMESPACE::Whole;

void center(const CenteredRows& r) {
  for (std::int64_t row = 0; row < r.rows; ++row) {
    const std::uint8_t* from = r.from + row * r.from_ld;
    auto* to = reinterpret_cast<std::uint8_t*>(r.to) + row * r.width;
    std::int32_t total = 0;
    std::int64_t i = 0;
#if HWY_TARGET != HWY_SCALAR
    const hn::ScalableTag<std::uint8_t> bytes;
    const hn::Repartition<std::uint64_t, decltype(bytes)> doubles;
    auto totals = hn::Zero(doubles);
    for (const auto lanes = static_cast<std::int64_t>(hn::Lanes(bytes)); i + lanes <= r.width; i += lanes) {
      const auto values = hn::LoadU(bytes, from + i);
      totals = hn::Add(totals, hn::SumsOf8(values));
      hn::StoreU(hn::Xor(values, hn::Set(bytes, 128)), bytes, to + i);
    }
    total = static_cast<std::int32_t>(hn::GetLane(hn::SumOfLanes(doubles, totals)));
#endif
    for (; i < r.width; ++i) {
      total += from[i];
      to[i] = static_cast<std::uint8_t>(from[i] ^ 128U);
    }
    if (r.sums != nullptr) r.sums[row] = total - static_cast<std::int32_t>(128 * r.width);
  }
}

HWY_INLINE std::int32_t maximum_of(const std::int32_t* scores, const std::int32_t* terms, std::int64_t count) {
  const Whole d;
  const std::int64_t step = vm::lanes();
  const auto score = [&](std::int64_t at) HWY_ATTR { return hn::Add(hn::LoadU(d, scores + at), hn::LoadU(d, terms + at)); };
  const VI lowest = hn::Set(d, std::numeric_limits<std::int32_t>::min());
  VI a = lowest, b = lowest;
  std::int64_t i = 0;
  for (; i + 2 * step <= count; i += 2 * step) {
    a = hn::Max(a, score(i));
    b = hn::Max(b, score(i + step));
  }
  for (; i < count; i += step) {
    const std::size_t part = vm::count_at(i, count);
    const VI last = hn::Add(load_part(scores + i, part), load_part(terms + i, part));
    a = hn::Max(a, hn::IfThenElse(hn::FirstN(d, part), last, lowest));
  }
  return hn::GetLane(hn::MaxOfLanes(d, hn::Max(a, b)));
}

void raise(const IntegerScores& tile, bool first, std::int32_t* maximum) {
  for (std::int64_t row = 0; row < tile.rows; ++row) {
    const std::int32_t highest = maximum_of(tile.scores + row * tile.ld, tile.key_terms, tile.columns);
    maximum[row] = first ? highest : std::max(maximum[row], highest);
  }
}

void weigh(const IntegerScores& tile, const std::int32_t* maximum, float factor, std::uint8_t* weights, std::int64_t weight_ld, std::int64_t padded,
           std::int32_t* sum) {
  const Whole d;
  const std::int64_t step = vm::lanes();
  const V scale = hn::Set(D(), factor), most = hn::Set(D(), 255.0f);
  for (std::int64_t row = 0; row < tile.rows; ++row) {
    const std::int32_t* scores = tile.scores + row * tile.ld;
    std::uint8_t* to = weights + row * weight_ld;
    const VI highest = hn::Set(d, maximum[row]);
    const auto weight = [&](VI score, VI term) HWY_ATTR {
      const V below = hn::ConvertTo(D(), hn::Sub(hn::Add(score, term), highest));
      // A product alone the compiler might fuse with the power's first addition, and round otherwise than others do.
      const V exponent = hn::MulAdd(below, scale, hn::Zero(D()));
      return nearest(hn::Mul(vm::exp2_nonpositive<vector_math::Grade::bf16>(exponent), most));
    };
    VI a = hn::Zero(d), b = a;
    std::int64_t i = 0;
    for (; i + 2 * step <= tile.columns; i += 2 * step) {
      const VI first = weight(hn::LoadU(d, scores + i), hn::LoadU(d, tile.key_terms + i));
      const VI second = weight(hn::LoadU(d, scores + i + step), hn::LoadU(d, tile.key_terms + i + step));
      a = hn::Add(a, first);
      b = hn::Add(b, second);
      store_bytes(first, to + i, static_cast<std::size_t>(step));
      store_bytes(second, to + i + step, static_cast<std::size_t>(step));
    }
    for (; i < tile.columns; i += step) {
      const std::size_t part = vm::count_at(i, tile.columns);
      const VI last = hn::IfThenElseZero(hn::FirstN(d, part), weight(load_part(scores + i, part), load_part(tile.key_terms + i, part)));
      a = hn::Add(a, last);
      store_bytes(last, to + i, part);
    }
    std::fill(to + tile.columns, to + padded, std::uint8_t{0});
    sum[row] += hn::GetLane(hn::SumOfLanes(d, hn::Add(a, b)));
  }
}

void finish(const WeighedValues& v) {
  const Whole d;
  const std::int64_t step = vm::lanes();
  for (std::int64_t row = 0; row < v.rows; ++row) {
    const VI term = hn::Set(d, v.term[row]);
    const V factor = hn::Set(D(), v.factor[row]);
    for (std::int64_t i = 0; i < v.width; i += step) {
      const std::size_t part = vm::count_at(i, v.width);
      const V y = hn::Mul(hn::ConvertTo(D(), hn::Add(load_part(v.sums + row * v.width + i, part), term)), factor);
      if (v.grid == nullptr) {
        vm::store_part(y, static_cast<float*>(v.y) + row * v.y_ld + i, part);
      } else {
        store_bytes(tile_gemm::HWY_NAMESPACE::to_u8(*v.grid, y), static_cast<std::uint8_t*>(v.y) + row * v.y_ld + i, part);
      }
    }
  }
}

}  // namespace edgelab::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace edgelab::kernels {

HWY_EXPORT(center);
HWY_EXPORT(raise);
HWY_EXPORT(weigh);
HWY_EXPORT(finish);

void center_rows(const CenteredRows& rows) { HWY_DYNAMIC_DISPATCH(center)(rows); }
void raise_maxima(const IntegerScores& tile, bool first, std::int32_t* maximum) { HWY_DYNAMIC_DISPATCH(raise)(tile, first, maximum); }
void weigh_scores(const IntegerScores& tile, const std::int32_t* maximum, float factor, std::uint8_t* weights, std::int64_t weight_ld, std::int64_t padded,
                  std::int32_t* sum) {
  HWY_DYNAMIC_DISPATCH(weigh)(tile, maximum, factor, weights, weight_ld, padded, sum);
}
void finish_values(const WeighedValues& values) { HWY_DYNAMIC_DISPATCH(finish)(values); }

}  // namespace edgelab::kernels
#endif
