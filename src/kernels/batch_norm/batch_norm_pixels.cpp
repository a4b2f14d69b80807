// Compiled once for every instruction set (Highway's foreach_target).
#include "kernels/simd_targets.hpp"

#include "kernels/batch_norm/batch_norm_pixels.hpp"

#include <algorithm>
#include <limits>

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/batch_norm/batch_norm_pixels.cpp"
#include <hwy/foreach_target.h>
#include <hwy/cache_control.h>
#include <hwy/highway.h>
#include "kernels/vector_math/partial-inl.hpp"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace edgelab::kernels::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
namespace vm = vector_math::HWY_NAMESPACE;
using vm::count_at;
using vm::D;
using vm::lanes;
using vm::load_part;
using vm::V;

// Sums are taken in f32 over a block of pixels and channels, then go into f64. Pixel by pixel, the sums in L1: that is the order in
// which pixels lie, and what processors read ahead. (Four pixels at a time, which touches the sums less often, took 1.5 to 2 times
// as long; so did a vector of channels at a time, with its sums in registers.)
constexpr std::int64_t kBlockPixels = 64, kMostChannels = 256;
constexpr std::int64_t kPivotPixels = 4;

// Of `width` channels of a block.
struct BlockSums {
  HWY_ALIGN float first[kMostChannels], second[kMostChannels];

  void clear(std::int64_t width) {
    for (std::int64_t c = 0; c < width; ++c) first[c] = second[c] = 0.0f;
  }
  HWY_INLINE void add(std::int64_t c, std::size_t count, V to_first, V to_second) {
    vm::store_part(hn::Add(load_part(first + c, count), to_first), first + c, count);
    vm::store_part(hn::Add(load_part(second + c, count), to_second), second + c, count);
  }
};

// Adds Σ (x − pivot) and Σ (x − pivot)².
void add_moments_from(const float* pivot, const float* x, std::int64_t pixels, std::int64_t ld, std::int64_t width, BlockSums& sums) {
  for (std::int64_t p = 0; p < pixels; ++p, x += ld) {
    for (std::int64_t c = 0; c < width; c += lanes()) {
      const std::size_t count = count_at(c, width);
      const V d = hn::Sub(load_part(x + c, count), load_part(pivot + c, count));
      sums.add(c, count, d, hn::Mul(d, d));
    }
  }
}

// Joins a block's moments to those of channels c … (Chan, Golub and LeVeque 1983).
void join(const float* pivot, const BlockSums& sums, std::int64_t pixels, std::int64_t c, std::int64_t width, const ChannelMoments& into) {
  const auto n = static_cast<double>(into.count), added = static_cast<double>(pixels);
  const double share = added / (n + added), weight = n * share, one = 1.0 / added;
  double *mean = into.mean + c, *squares = into.squares + c;
  for (std::int64_t i = 0; i < width; ++i) {
    const auto sum = static_cast<double>(sums.first[i]);
    const double own = static_cast<double>(sums.second[i]) - sum * sum * one;
    const double difference = static_cast<double>(pivot[i]) + sum * one - mean[i];
    mean[i] += difference * share;
    squares[i] += own + difference * difference * weight;
  }
}

// The pivot is the mean of all pixels before, of a chunk's first block that of its first pixels. What is lost where a block is far
// from it is small beside the variance that such a block makes.
void find_pivot(const float* x, std::int64_t pixels, std::int64_t ld, std::int64_t c, std::int64_t width, const ChannelMoments& before, float* pivot) {
  const std::int64_t first = HWY_MIN(pixels, kPivotPixels);
  for (std::int64_t i = 0; i < width; ++i) {
    if (before.count > 0) {
      pivot[i] = static_cast<float>(before.mean[c + i]);
    } else {
      float sum = 0.0f;
      for (std::int64_t p = 0; p < first; ++p) sum += x[p * ld + i];
      pivot[i] = sum / static_cast<float>(first);
    }
  }
}

void moments_of(const float* x, std::int64_t pixels, std::int64_t channels, ChannelMoments& into) {
  BlockSums sums;
  HWY_ALIGN float pivot[kMostChannels];
  for (std::int64_t p = 0; p < pixels; p += kBlockPixels) {
    const std::int64_t size = HWY_MIN(kBlockPixels, pixels - p);
    for (std::int64_t c = 0; c < channels; c += kMostChannels) {
      const std::int64_t width = HWY_MIN(kMostChannels, channels - c);
      const float* block = x + p * channels + c;
      find_pivot(block, size, channels, c, width, into, pivot);
      sums.clear(width);
      add_moments_from(pivot, block, size, channels, width, sums);
      join(pivot, sums, size, c, width, into);
    }
    into.count += size;
  }
}

struct Corners {
  float low, high;
};

HWY_INLINE Corners corners_of(ActivationKind kind) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  return {kind == ActivationKind::none ? -kInfinity : 0.0f, kind == ActivationKind::relu6 ? 6.0f : kInfinity};
}

HWY_INLINE V centred(const NormPixels& n, V x, std::int64_t c, std::size_t count) { return hn::Sub(x, load_part(n.mean + c, count)); }

HWY_INLINE void store(V value, float* to, std::size_t count, bool streams) {
  if (streams) return hn::Stream(value, D(), to);
  vm::store_part(value, to, count);
}

HWY_INLINE bool can_stream(const float* to, std::int64_t channels, bool wanted) {
  return wanted && channels % lanes() == 0 && reinterpret_cast<std::uintptr_t>(to) % (static_cast<std::size_t>(lanes()) * sizeof(float)) == 0;
}

void normalise(const NormPixels& n, float* y, bool past_cache) {
  const D d;
  const Corners corners = corners_of(n.activation);
  const V low = hn::Set(d, corners.low), high = hn::Set(d, corners.high);
  const bool streams = can_stream(y, n.channels, past_cache);
  const float* x = n.x;
  for (std::int64_t p = 0; p < n.pixels; ++p, x += n.channels, y += n.channels) {
    for (std::int64_t c = 0; c < n.channels; c += lanes()) {
      const std::size_t count = count_at(c, n.channels);
      const V difference = centred(n, load_part(x + c, count), c, count);
      const V z = hn::MulAdd(difference, load_part(n.scale + c, count), load_part(n.bias + c, count));
      store(vm::at_most(high, vm::at_least(low, z)), y + c, count, streams);
    }
  }
  if (streams) hwy::FlushStream();
}

// g where z lies strictly between the corners.
template <bool kActivated> HWY_INLINE V masked(V g, V difference, V scale, V bias, V low, V high) {
  if constexpr (!kActivated) return g;
  const V z = hn::MulAdd(difference, scale, bias);
  return hn::IfThenElseZero(hn::And(hn::Lt(low, z), hn::Lt(z, high)), g);
}

// Σ g and Σ g · (x − mean) of channels first … first + width - 1.
template <bool kActivated>
void block_gradient_sums(const NormPixels& n, const float* dy, std::int64_t first, std::int64_t width, BlockSums& sums) {
  const Corners corners = corners_of(n.activation);
  const V low = hn::Set(D(), corners.low), high = hn::Set(D(), corners.high);
  const std::int64_t ld = n.channels;
  const float* x = n.x;
  for (std::int64_t p = 0; p < n.pixels; ++p, x += ld, dy += ld) {
    for (std::int64_t c = first; c < first + width; c += lanes()) {
      const std::size_t count = count_at(c, first + width);
      const V difference = centred(n, load_part(x + c, count), c, count);
      const V scale = load_part(n.scale + c, count), bias = load_part(n.bias + c, count);
      const V g = masked<kActivated>(load_part(dy + c, count), difference, scale, bias, low, high);
      sums.add(c - first, count, g, hn::Mul(g, difference));
    }
  }
}

template <bool kActivated> void gradient_sums(const NormPixels& norm, const float* dy, double* sums, double* products) {
  BlockSums block_sums;
  NormPixels block = norm;
  for (std::int64_t p = 0; p < norm.pixels; p += kBlockPixels) {
    block.pixels = HWY_MIN(kBlockPixels, norm.pixels - p);
    block.x = norm.x + p * norm.channels;
    for (std::int64_t c = 0; c < norm.channels; c += kMostChannels) {
      const std::int64_t width = HWY_MIN(kMostChannels, norm.channels - c);
      block_sums.clear(width);
      block_gradient_sums<kActivated>(block, dy + p * norm.channels, c, width, block_sums);
      for (std::int64_t i = 0; i < width; ++i) {
        sums[c + i] += static_cast<double>(block_sums.first[i]);
        products[c + i] += static_cast<double>(block_sums.second[i]);
      }
    }
  }
}

template <bool kActivated> void gradient(const NormPixels& n, const float* dy, const float* slope, const float* shift, float* dx, bool past_cache) {
  const D d;
  const Corners corners = corners_of(n.activation);
  const V low = hn::Set(d, corners.low), high = hn::Set(d, corners.high);
  const bool streams = can_stream(dx, n.channels, past_cache);
  const float* x = n.x;
  for (std::int64_t p = 0; p < n.pixels; ++p, x += n.channels, dy += n.channels, dx += n.channels) {
    for (std::int64_t c = 0; c < n.channels; c += lanes()) {
      const std::size_t count = count_at(c, n.channels);
      const V difference = centred(n, load_part(x + c, count), c, count), scale = load_part(n.scale + c, count);
      const V g = masked<kActivated>(load_part(dy + c, count), difference, scale, load_part(n.bias + c, count), low, high);
      const V through_statistics = hn::MulAdd(difference, load_part(slope + c, count), load_part(shift + c, count));
      store(hn::MulAdd(g, scale, through_statistics), dx + c, count, streams);
    }
  }
  if (streams) hwy::FlushStream();
}

void any_gradient_sums(const NormPixels& n, const float* dy, double* sums, double* products) {
  n.activation == ActivationKind::none ? gradient_sums<false>(n, dy, sums, products) : gradient_sums<true>(n, dy, sums, products);
}

void any_gradient(const NormPixels& n, const float* dy, const float* slope, const float* shift, float* dx, bool past_cache) {
  n.activation == ActivationKind::none ? gradient<false>(n, dy, slope, shift, dx, past_cache) : gradient<true>(n, dy, slope, shift, dx, past_cache);
}

}  // namespace edgelab::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace edgelab::kernels {

HWY_EXPORT(normalise);
HWY_EXPORT(moments_of);
HWY_EXPORT(any_gradient_sums);
HWY_EXPORT(any_gradient);

void normalise_pixels(const NormPixels& norm, float* y, bool past_cache) { HWY_DYNAMIC_DISPATCH(normalise)(norm, y, past_cache); }

void add_moments(const float* x, std::int64_t pixels, std::int64_t channels, ChannelMoments& moments) {
  HWY_DYNAMIC_DISPATCH(moments_of)(x, pixels, channels, moments);
}

void add_moments(const ChannelMoments& other, std::int64_t first, std::int64_t channels, const ChannelMoments& moments) {
  if (other.count == 0) return;
  const auto n = static_cast<double>(moments.count), added = static_cast<double>(other.count);
  for (std::int64_t c = first; c < first + channels; ++c) {
    const double difference = other.mean[c] - moments.mean[c];
    moments.mean[c] += difference * added / (n + added);
    moments.squares[c] += other.squares[c] + difference * difference * n * added / (n + added);
  }
}

void add_gradient_sums(const NormPixels& norm, const float* dy, double* sums, double* products) {
  HWY_DYNAMIC_DISPATCH(any_gradient_sums)(norm, dy, sums, products);
}

void gradient_pixels(const NormPixels& norm, const float* dy, const float* slope, const float* shift, float* dx, bool past_cache) {
  HWY_DYNAMIC_DISPATCH(any_gradient)(norm, dy, slope, shift, dx, past_cache);
}

}  // namespace edgelab::kernels
#endif
