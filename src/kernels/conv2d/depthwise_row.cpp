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

// One vector of channels of a row. Of a plain one whole vectors of f32 are written, and nothing has to be asked for an output.
struct Lane {
  const float *row0, *row1, *row2;  // at column 0 and the vector's first channel; those outside the image are not read
  std::int64_t pixel, width;
  void* out;  // at column 0 and the vector's first channel
  std::int64_t out_pixel;
  V low, high;        // the activation
  std::size_t count;  // channels, in the last vector fewer than it has lanes
  DType out_type;
  bool streams;  // whole vectors past the cache
  bool narrow;   // bf16 by the machine's own instruction
};

// Which columns of a group of outputs lie outside the image: none, its first one, its last one, or whichever (few outputs).
enum class Outside { none, first, last, any };

// The columns that a group of outputs reads, from the one before `first` on; outside the image they are zero.
template <Outside kOutside, int kLastColumn> struct Columns {
  const float* row;  // at column `first`
  std::int64_t pixel, first, width;
  std::size_t count;
  HWY_INLINE V at(int column) const {
    const std::int64_t at = first + column - 1;
    if (kOutside == Outside::any && (at < 0 || at >= width)) return hn::Zero(D());
    if (kOutside == Outside::first && column == 0) return hn::Zero(D());
    if (kOutside == Outside::last && column == kLastColumn) return hn::Zero(D());
    return load_part(row + (column - 1) * pixel, count);
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

template <bool kPlain> HWY_INLINE void store(const Lane& lane, V sum, std::int64_t at) {
  const V value = vm::at_most(lane.high, vm::at_least(lane.low, sum));
  auto* floats = static_cast<float*>(lane.out) + at;
  if (kPlain) return hn::StoreU(value, D(), floats);
  if (lane.streams) return hn::Stream(value, D(), floats);
  if (lane.out_type == DType::f32) return vm::store_part(value, floats, lane.count);
  tg::store_rounded(value, static_cast<std::uint16_t*>(lane.out) + at, lane.count, lane.narrow);
}

// The rows of the input that exist are kFirst … kLast - 1.
template <int kStride, int kFirst, int kLast, bool kPlain, Outside kOutside>
HWY_INLINE void group(const Lane& lane, std::int64_t j, std::int64_t outputs, V bias, V w0, V w1, V w2, V w3, V w4, V w5, V w6, V w7, V w8) {
  V s0 = bias, s1 = bias, s2 = bias, s3 = bias;
  const auto columns = [&](const float* row) HWY_ATTR {
    const std::size_t count = kPlain ? hn::Lanes(D()) : lane.count;
    return Columns<kOutside, (kOutputs - 1) * kStride + 2>{row + j * kStride * lane.pixel, lane.pixel, j * kStride, lane.width, count};
  };
  if constexpr (kFirst == 0) add_row<kStride>(columns(lane.row0), w0, w1, w2, s0, s1, s2, s3);
  add_row<kStride>(columns(lane.row1), w3, w4, w5, s0, s1, s2, s3);
  if constexpr (kLast == 3) add_row<kStride>(columns(lane.row2), w6, w7, w8, s0, s1, s2, s3);
  const std::int64_t at = j * lane.out_pixel;
  store<kPlain>(lane, s0, at);
  if (kOutside != Outside::any || outputs > 1) store<kPlain>(lane, s1, at + lane.out_pixel);
  if (kOutside != Outside::any || outputs > 2) store<kPlain>(lane, s2, at + 2 * lane.out_pixel);
  if (kOutside != Outside::any || outputs > 3) store<kPlain>(lane, s3, at + 3 * lane.out_pixel);
}

// The lane comes by value, lest it be loaded again behind each store.
template <int kStride, int kFirst, int kLast, bool kPlain>
void one_vector(const DepthwiseRow& r, Lane lane, std::int64_t channel, vm::Ahead& ahead, vm::AheadToWrite& out_ahead) {
  const auto weight = [&](std::int64_t tap) HWY_ATTR { return load_part(r.weights + tap * r.weights_ld + channel, kPlain ? hn::Lanes(D()) : lane.count); };
  const V bias = load_part(r.bias + channel, kPlain ? hn::Lanes(D()) : lane.count);
  const V w0 = weight(0), w1 = weight(1), w2 = weight(2), w3 = weight(3), w4 = weight(4), w5 = weight(5), w6 = weight(6), w7 = weight(7), w8 = weight(8);
  const std::int64_t outputs = depthwise_extent(lane.width, kStride);
  const auto fetch = [&]() HWY_ATTR {
    ahead.fetch();
    out_ahead.fetch();
  };
  fetch();
  if (outputs <= kOutputs) return group<kStride, kFirst, kLast, kPlain, Outside::any>(lane, 0, outputs, bias, w0, w1, w2, w3, w4, w5, w6, w7, w8);
  group<kStride, kFirst, kLast, kPlain, Outside::first>(lane, 0, kOutputs, bias, w0, w1, w2, w3, w4, w5, w6, w7, w8);
  for (std::int64_t j = kOutputs; j + kOutputs < outputs; j += kOutputs) {
    fetch();
    group<kStride, kFirst, kLast, kPlain, Outside::none>(lane, j, kOutputs, bias, w0, w1, w2, w3, w4, w5, w6, w7, w8);
  }
  fetch();
  // The last group is whole too: computing again what the one before has written costs less than asking of each output and
  // column whether it is there.
  if ((outputs - 1) * kStride + 1 >= lane.width) {
    group<kStride, kFirst, kLast, kPlain, Outside::last>(lane, outputs - kOutputs, kOutputs, bias, w0, w1, w2, w3, w4, w5, w6, w7, w8);
  } else {
    group<kStride, kFirst, kLast, kPlain, Outside::none>(lane, outputs - kOutputs, kOutputs, bias, w0, w1, w2, w3, w4, w5, w6, w7, w8);
  }
}

template <int kStride, int kFirst, int kLast> void all_vectors(const DepthwiseRow& r) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const bool clamps = r.activation == ActivationKind::relu || r.activation == ActivationKind::relu6;
  const float low = clamps ? 0.0f : -kInfinity, high = r.activation == ActivationKind::relu6 ? 6.0f : kInfinity;
  const bool f32 = r.out_type == DType::f32, narrow = !f32 && tg::narrows_natively();
  const std::int64_t whole = r.channels / vm::lanes() * vm::lanes(), size = f32 ? sizeof(float) : sizeof(std::uint16_t);
  const bool streams = r.past_cache && f32 && r.channels == whole && vm::streams_to(r.out, r.out_pixel);
  const std::int64_t groups = (depthwise_extent(r.width, r.stride) + kOutputs - 1) / kOutputs;
  const std::int64_t steps = groups * ((r.channels + vm::lanes() - 1) / vm::lanes());
  vm::Ahead ahead(r.ahead, r.ahead_end, steps);
  const auto* next_out = static_cast<const float*>(r.out) + depthwise_extent(r.width, r.stride) * r.out_pixel;
  vm::AheadToWrite out_ahead(next_out, r.ahead == nullptr || streams ? next_out : next_out + (next_out - static_cast<const float*>(r.out)), steps);
  const auto lane = [&](std::int64_t channel, std::size_t count) HWY_ATTR {
    const auto row = [&](std::size_t u) { return r.rows[u] == nullptr ? nullptr : r.rows[u] + channel; };
    void* out = static_cast<std::byte*>(r.out) + channel * size;
    return Lane{row(0), row(1), row(2), r.pixel, r.width, out, r.out_pixel, hn::Set(D(), low), hn::Set(D(), high),
                count, r.out_type, streams && count == hn::Lanes(D()), narrow};
  };
  const bool plain = f32 && !streams;
  for (std::int64_t c = 0; c < whole; c += vm::lanes()) {
    plain ? one_vector<kStride, kFirst, kLast, true>(r, lane(c, hn::Lanes(D())), c, ahead, out_ahead)
          : one_vector<kStride, kFirst, kLast, false>(r, lane(c, hn::Lanes(D())), c, ahead, out_ahead);
  }
  if (whole < r.channels) one_vector<kStride, kFirst, kLast, false>(r, lane(whole, static_cast<std::size_t>(r.channels - whole)), whole, ahead, out_ahead);
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
