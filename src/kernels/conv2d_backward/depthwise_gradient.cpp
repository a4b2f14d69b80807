// Compiled once for every instruction set (Highway's foreach_target).
#include "kernels/simd_targets.hpp"

#include "kernels/conv2d_backward/depthwise_gradient.hpp"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/conv2d_backward/depthwise_gradient.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include "kernels/vector_math/partial-inl.hpp"
#include "kernels/vector_math/past_cache-inl.hpp"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace edgelab::kernels::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
namespace vm = vector_math::HWY_NAMESPACE;
using vm::count_at;
using vm::D;
using vm::lanes;
using vm::load_part;
using vm::store_part;
using vm::V;

// ---- by the input, stride 2 ----

// Row i is read by the middle taps of output row i / 2 alone; row i + 1 by the last of that and the first of the one behind. So
// it is with columns: an even one is read by one output, an odd one by two.
template <bool kStreams> HWY_INLINE void store(V value, float* to, std::size_t count) {
  if constexpr (kStreams) return hn::Stream(value, D(), to);
  store_part(value, to, count);
}

template <bool kLower, bool kNext, bool kStreams>
HWY_INLINE void data_vector(const DepthwiseDataRows& r, std::int64_t c, std::size_t count, vm::Ahead& ahead) {
  const auto weight = [&](std::int64_t tap) HWY_ATTR { return load_part(r.weights + tap * r.channels + c, count); };
  const V w3 = weight(3), w4 = weight(4), w5 = weight(5), zero = hn::Zero(D());
  const V w6 = kLower ? weight(6) : zero, w7 = kLower ? weight(7) : zero, w8 = kLower ? weight(8) : zero;
  const V w0 = kNext ? weight(0) : zero, w1 = kNext ? weight(1) : zero, w2 = kNext ? weight(2) : zero;
  V here = load_part(r.dy[0] + c, count), below = kNext ? load_part(r.dy[1] + c, count) : zero;
  for (std::int64_t j = 0; j < r.outputs; ++j) {
    const bool last = j + 1 == r.outputs;
    const std::int64_t behind = (j + 1) * r.channels + c, to = 2 * j * r.channels + c;
    const V here1 = last ? zero : load_part(r.dy[0] + behind, count);
    const V below1 = kNext && !last ? load_part(r.dy[1] + behind, count) : zero;
    const bool odd = 2 * j + 1 < r.width;
    ahead.fetch();
    store<kStreams>(hn::Mul(here, w4), r.dx[0] + to, count);
    if (odd) store<kStreams>(hn::MulAdd(here1, w3, hn::Mul(here, w5)), r.dx[0] + to + r.channels, count);
    if constexpr (kLower) {
      V even_sum = hn::Mul(here, w7), odd_sum = hn::MulAdd(here1, w6, hn::Mul(here, w8));
      if constexpr (kNext) {
        even_sum = hn::MulAdd(below, w1, even_sum);
        odd_sum = hn::MulAdd(below1, w0, hn::MulAdd(below, w2, odd_sum));
      }
      store<kStreams>(even_sum, r.dx[1] + to, count);
      if (odd) store<kStreams>(odd_sum, r.dx[1] + to + r.channels, count);
    }
    here = here1;
    below = below1;
  }
}

template <bool kLower, bool kNext> void data_vectors(const DepthwiseDataRows& r) {
  vm::Ahead ahead(r.ahead, r.ahead_end, r.outputs * ((r.channels + lanes() - 1) / lanes()));
  if (r.past_cache && vm::streams_to(r.dx[0], r.channels) && vm::streams_to(r.dx[1], r.channels)) {
    for (std::int64_t c = 0; c < r.channels; c += lanes()) data_vector<kLower, kNext, true>(r, c, hn::Lanes(D()), ahead);
    return hwy::FlushStream();
  }
  for (std::int64_t c = 0; c < r.channels; c += lanes()) data_vector<kLower, kNext, false>(r, c, count_at(c, r.channels), ahead);
}

void data_rows(const DepthwiseDataRows& r) {
  if (r.dx[1] == nullptr) return data_vectors<false, false>(r);
  r.dy[1] != nullptr ? data_vectors<true, true>(r) : data_vectors<true, false>(r);
}

// ---- by the weight ----

// The input's pixels of one column, from the rows that exist: kFirst … kLast - 1.
template <int kFirst, int kLast> struct Column {
  const DepthwiseWeightsRow& row;
  std::int64_t channel;
  std::size_t count;
  HWY_INLINE V at(std::size_t u, std::int64_t column) const {
    if (static_cast<int>(u) < kFirst || static_cast<int>(u) >= kLast) return hn::Zero(D());
    if (column < 0 || column >= row.width) return hn::Zero(D());
    return load_part(row.x[u] + column * row.channels + channel, count);
  }
};

template <int kStride, int kFirst, int kLast> HWY_INLINE void weights_vector(const DepthwiseWeightsRow& r, std::int64_t c, std::size_t count, vm::Ahead& x_ahead, vm::Ahead& dy_ahead) {
  V s0 = hn::Zero(D()), s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0, s8 = s0;
  const Column<kFirst, kLast> x{r, c, count};
  // At stride 1 two of three columns have been read for the output before; at stride 2 one.
  V left0 = s0, left1 = s0, left2 = s0, middle0 = x.at(0, 0), middle1 = x.at(1, 0), middle2 = x.at(2, 0);
  for (std::int64_t j = 0; j < r.outputs; ++j) {
    x_ahead.fetch();
    dy_ahead.fetch();
    const V g = load_part(r.dy + j * r.channels + c, count);
    const std::int64_t right = j * kStride + 1;
    const V right0 = x.at(0, right), right1 = x.at(1, right), right2 = x.at(2, right);
    if constexpr (kFirst == 0) {
      s0 = hn::MulAdd(left0, g, s0);
      s1 = hn::MulAdd(middle0, g, s1);
      s2 = hn::MulAdd(right0, g, s2);
    }
    s3 = hn::MulAdd(left1, g, s3);
    s4 = hn::MulAdd(middle1, g, s4);
    s5 = hn::MulAdd(right1, g, s5);
    if constexpr (kLast == 3) {
      s6 = hn::MulAdd(left2, g, s6);
      s7 = hn::MulAdd(middle2, g, s7);
      s8 = hn::MulAdd(right2, g, s8);
    }
    left0 = kStride == 1 ? middle0 : right0;
    left1 = kStride == 1 ? middle1 : right1;
    left2 = kStride == 1 ? middle2 : right2;
    middle0 = kStride == 1 ? right0 : x.at(0, right + 1);
    middle1 = kStride == 1 ? right1 : x.at(1, right + 1);
    middle2 = kStride == 1 ? right2 : x.at(2, right + 1);
  }
  const auto add = [&](std::int64_t tap, V sum) HWY_ATTR {
    float* to = r.sums + tap * r.channels + c;
    store_part(hn::Add(load_part(to, count), sum), to, count);
  };
  if constexpr (kFirst == 0) add(0, s0), add(1, s1), add(2, s2);
  add(3, s3), add(4, s4), add(5, s5);
  if constexpr (kLast == 3) add(6, s6), add(7, s7), add(8, s8);
}

template <int kStride, int kFirst, int kLast> void weights_vectors(const DepthwiseWeightsRow& r) {
  const std::int64_t steps = r.outputs * ((r.channels + lanes() - 1) / lanes());
  vm::Ahead x_ahead(r.ahead, r.ahead_end, steps), dy_ahead(r.dy_ahead, r.dy_ahead_end, steps);
  for (std::int64_t c = 0; c < r.channels; c += lanes()) weights_vector<kStride, kFirst, kLast>(r, c, count_at(c, r.channels), x_ahead, dy_ahead);
}

template <int kStride> void weights_rows_that_exist(const DepthwiseWeightsRow& r) {
  if (r.x[0] != nullptr) {
    r.x[2] != nullptr ? weights_vectors<kStride, 0, 3>(r) : weights_vectors<kStride, 0, 2>(r);
  } else {
    r.x[2] != nullptr ? weights_vectors<kStride, 1, 3>(r) : weights_vectors<kStride, 1, 2>(r);
  }
}

void weights_row(const DepthwiseWeightsRow& r) { r.stride == 1 ? weights_rows_that_exist<1>(r) : weights_rows_that_exist<2>(r); }

}  // namespace edgelab::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace edgelab::kernels {

HWY_EXPORT(data_rows);
HWY_EXPORT(weights_row);

void depthwise_data_rows(const DepthwiseDataRows& rows) { HWY_DYNAMIC_DISPATCH(data_rows)(rows); }
void depthwise_weights_row(const DepthwiseWeightsRow& row) { HWY_DYNAMIC_DISPATCH(weights_row)(row); }

}  // namespace edgelab::kernels
#endif
