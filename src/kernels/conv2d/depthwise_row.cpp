// Compiled once for every instruction set (Highway's foreach_target).
#include "kernels/simd_targets.hpp"

#include "kernels/conv2d/depthwise_row.hpp"

#include <algorithm>
#include <limits>

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/conv2d/depthwise_row.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include "kernels/vector_math/past_cache-inl.hpp"
#include "kernels/tile_gemm/simd_epilogue-inl.hpp"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace edgelab::kernels::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
namespace tg = tile_gemm::HWY_NAMESPACE;
namespace vm = vector_math::HWY_NAMESPACE;
using vm::D;
using vm::load_part;
using vm::V;

// Outputs whose sums are in registers at once: four chains of multiply-adds hide the latency of one.
constexpr int kOutputs = 4;

// One vector of channels of a row, with what all its outputs share in registers: 9 weights and the bias.
struct Lane {
  const DepthwiseRow& row;
  std::int64_t channel;
  std::size_t count;  // channels, in the last vector fewer than it has lanes
  float low, high;    // the activation
  bool streams;       // whole vectors past the cache
  bool narrow;        // bf16 by the machine's own instruction
};

// Which columns of a group of outputs lie outside the image: none, its first one, its last one, or whichever (few outputs).
enum class Outside { none, first, last, any };

// The columns that a group of outputs reads, from `first` on; outside the image they are zero.
template <Outside kOutside, int kLastColumn> struct Columns {
  const float* row;  // at the vector's first channel
  std::int64_t pixel, first, width;
  std::size_t count;
  HWY_INLINE V at(int column) const {
    const std::int64_t at = first + column;
    if (kOutside == Outside::any && (at < 0 || at >= width)) return hn::Zero(D());
    if (kOutside == Outside::first && column == 0) return hn::Zero(D());
    if (kOutside == Outside::last && column == kLastColumn) return hn::Zero(D());
    return load_part(row + at * pixel, count);
  }
};

template <int kStride, typename Columns> HWY_INLINE void add_row(const Columns& x, V w0, V w1, V w2, V& s0, V& s1, V& s2, V& s3) {
  s0 = hn::MulAdd(x.at(0), w0, s0);
  s1 = hn::MulAdd(x.at(kStride), w0, s1);
  s2 = hn::MulAdd(x.at(2 * kStride), w0, s2);
  s3 = hn::MulAdd(x.at(3 * kStride), w0, s3);
  s0 = hn::MulAdd(x.at(1), w1, s0);
  s1 = hn::MulAdd(x.at(kStride + 1), w1, s1);
  s2 = hn::MulAdd(x.at(2 * kStride + 1), w1, s2);
  s3 = hn::MulAdd(x.at(3 * kStride + 1), w1, s3);
  s0 = hn::MulAdd(x.at(2), w2, s0);
  s1 = hn::MulAdd(x.at(kStride + 2), w2, s1);
  s2 = hn::MulAdd(x.at(2 * kStride + 2), w2, s2);
  s3 = hn::MulAdd(x.at(3 * kStride + 2), w2, s3);
}

HWY_INLINE void store(const Lane& lane, V sum, std::int64_t j) {
  const V value = vm::at_most(hn::Set(D(), lane.high), vm::at_least(hn::Set(D(), lane.low), sum));
  const std::int64_t at = j * lane.row.out_pixel + lane.channel;
  if (lane.streams) return hn::Stream(value, D(), static_cast<float*>(lane.row.out) + at);
  if (lane.row.out_type == DType::f32) return vm::store_part(value, static_cast<float*>(lane.row.out) + at, lane.count);
  tg::store_rounded(value, static_cast<std::uint16_t*>(lane.row.out) + at, lane.count, lane.narrow);
}

// The rows of the input that exist are kFirst … kLast - 1.
template <int kStride, int kFirst, int kLast, Outside kOutside>
HWY_INLINE void group(const Lane& lane, std::int64_t j, std::int64_t outputs, V bias, V w0, V w1, V w2, V w3, V w4, V w5, V w6, V w7, V w8) {
  const DepthwiseRow& r = lane.row;
  V s0 = bias, s1 = bias, s2 = bias, s3 = bias;
  const auto columns = [&](std::size_t u) HWY_ATTR {
    return Columns<kOutside, (kOutputs - 1) * kStride + 2>{r.rows[u] + lane.channel, r.pixel, j * kStride - 1, r.width, lane.count};
  };
  if constexpr (kFirst == 0) add_row<kStride>(columns(0), w0, w1, w2, s0, s1, s2, s3);
  add_row<kStride>(columns(1), w3, w4, w5, s0, s1, s2, s3);
  if constexpr (kLast == 3) add_row<kStride>(columns(2), w6, w7, w8, s0, s1, s2, s3);
  store(lane, s0, j);
  if (kOutside != Outside::any || outputs > 1) store(lane, s1, j + 1);
  if (kOutside != Outside::any || outputs > 2) store(lane, s2, j + 2);
  if (kOutside != Outside::any || outputs > 3) store(lane, s3, j + 3);
}

template <int kStride, int kFirst, int kLast> HWY_INLINE void one_vector(const Lane& lane, vm::Ahead& ahead, vm::AheadToWrite& out_ahead) {
  const DepthwiseRow& r = lane.row;
  const auto weight = [&](std::int64_t tap) HWY_ATTR { return load_part(r.weights + tap * r.weights_ld + lane.channel, lane.count); };
  const V bias = load_part(r.bias + lane.channel, lane.count);
  const V w0 = weight(0), w1 = weight(1), w2 = weight(2), w3 = weight(3), w4 = weight(4), w5 = weight(5), w6 = weight(6), w7 = weight(7), w8 = weight(8);
  const std::int64_t outputs = depthwise_extent(r.width, kStride);
  const auto fetch = [&]() HWY_ATTR {
    ahead.fetch();
    out_ahead.fetch();
  };
  fetch();
  if (outputs <= kOutputs) return group<kStride, kFirst, kLast, Outside::any>(lane, 0, outputs, bias, w0, w1, w2, w3, w4, w5, w6, w7, w8);
  group<kStride, kFirst, kLast, Outside::first>(lane, 0, kOutputs, bias, w0, w1, w2, w3, w4, w5, w6, w7, w8);
  for (std::int64_t j = kOutputs; j + kOutputs < outputs; j += kOutputs) {
    fetch();
    group<kStride, kFirst, kLast, Outside::none>(lane, j, kOutputs, bias, w0, w1, w2, w3, w4, w5, w6, w7, w8);
  }
  fetch();
  // The last group is whole too: computing again what the one before has written costs less than asking of each output and
  // column whether it is there.
  if ((outputs - 1) * kStride + 1 >= r.width) {
    group<kStride, kFirst, kLast, Outside::last>(lane, outputs - kOutputs, kOutputs, bias, w0, w1, w2, w3, w4, w5, w6, w7, w8);
  } else {
    group<kStride, kFirst, kLast, Outside::none>(lane, outputs - kOutputs, kOutputs, bias, w0, w1, w2, w3, w4, w5, w6, w7, w8);
  }
}

template <int kStride, int kFirst, int kLast> void all_vectors(const DepthwiseRow& r) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const bool clamps = r.activation == ActivationKind::relu || r.activation == ActivationKind::relu6;
  const float low = clamps ? 0.0f : -kInfinity, high = r.activation == ActivationKind::relu6 ? 6.0f : kInfinity;
  const bool narrow = r.out_type == DType::bf16 && tg::narrows_natively();
  const std::int64_t whole = r.channels / vm::lanes() * vm::lanes();
  const bool streams = r.past_cache && r.out_type == DType::f32 && r.channels == whole && vm::streams_to(r.out, r.out_pixel);
  const std::int64_t groups = (depthwise_extent(r.width, r.stride) + kOutputs - 1) / kOutputs;
  const std::int64_t steps = groups * ((r.channels + vm::lanes() - 1) / vm::lanes());
  vm::Ahead ahead(r.ahead, r.ahead_end, steps);
  const auto* next_out = static_cast<const float*>(r.out) + depthwise_extent(r.width, r.stride) * r.out_pixel;
  vm::AheadToWrite out_ahead(next_out, r.ahead == nullptr || streams ? next_out : next_out + (next_out - static_cast<const float*>(r.out)), steps);
  for (std::int64_t c = 0; c < whole; c += vm::lanes()) one_vector<kStride, kFirst, kLast>({r, c, hn::Lanes(D()), low, high, streams, narrow}, ahead, out_ahead);
  if (whole < r.channels) one_vector<kStride, kFirst, kLast>({r, whole, static_cast<std::size_t>(r.channels - whole), low, high, false, narrow}, ahead, out_ahead);
  if (streams) hwy::FlushStream();
}

template <int kStride> void rows_that_exist(const DepthwiseRow& r) {
  if (r.rows[0] != nullptr) {
    r.rows[2] != nullptr ? all_vectors<kStride, 0, 3>(r) : all_vectors<kStride, 0, 2>(r);
  } else {
    r.rows[2] != nullptr ? all_vectors<kStride, 1, 3>(r) : all_vectors<kStride, 1, 2>(r);
  }
}

void run_row(const DepthwiseRow& r) {
  r.stride == 1 ? rows_that_exist<1>(r) : rows_that_exist<2>(r);
  if (r.activation != ActivationKind::gelu) return;
  // Rare: no block that this was made for has it.
  auto* out = static_cast<float*>(r.out);
  const std::int64_t outputs = depthwise_extent(r.width, r.stride);
  for (std::int64_t j = 0; j < outputs; ++j, out += r.out_pixel) {
    for (std::int64_t c = 0; c < r.channels; c += vm::lanes()) {
      const auto count = static_cast<std::size_t>(r.channels - c < vm::lanes() ? r.channels - c : vm::lanes());
      vm::store_part(vm::gelu<vector_math::Grade::f32>(load_part(out + c, count)), out + c, count);
    }
  }
}

}  // namespace edgelab::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace edgelab::kernels {

HWY_EXPORT(run_row);

void depthwise_row(const DepthwiseRow& row) { HWY_DYNAMIC_DISPATCH(run_row)(row); }

std::array<const float*, 3> depthwise_rows(const float* image, std::int64_t height, std::int64_t row_floats, std::int64_t i, int stride) {
  std::array<const float*, 3> rows{};
  for (std::int64_t u = 0; u < 3; ++u) {
    const std::int64_t row = i * stride + u - 1;
    if (row >= 0 && row < height) rows[static_cast<std::size_t>(u)] = image + row * row_floats;
  }
  return rows;
}

void look_ahead(DepthwiseRow& row, const float* image, std::int64_t height, std::int64_t row_floats, std::int64_t i, const float* end) {
  const std::int64_t next = std::min(height, i * row.stride + 2);
  row.ahead = image + next * row_floats;
  row.ahead_end = std::min(end, row.ahead + row.stride * row_floats);
}

void pack_depthwise(const float* weight, std::int64_t channels, std::int64_t begin, std::int64_t end, bool turned, float* to) {
  for (std::int64_t c = begin; c < end; ++c) {
    for (std::int64_t tap = 0; tap < 9; ++tap) to[tap * channels + c] = weight[c * 9 + (turned ? 8 - tap : tap)];
  }
}

Tensor pack_depthwise(PackCache& packs, const Tensor& weight) {
  constexpr std::string_view kLayout = "depthwise rows";
  return packs.get(weight, {kLayout.begin(), kLayout.end()}, [&] {
    const std::int64_t channels = weight.shape()[0];
    Tensor packed(DType::f32, {9, channels});
    pack_depthwise(weight.as<float>().data(), channels, 0, channels, false, packed.as<float>().data());
    return packed;
  });
}

}  // namespace edgelab::kernels
#endif
