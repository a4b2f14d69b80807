// Compiled once for every instruction set (Highway's foreach_target).
#include "kernels/simd_targets.hpp"

#include "kernels/quantized_conv2d/byte_depthwise.hpp"

#include <algorithm>
#include <cstring>

#include "core/machine.hpp"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/quantized_conv2d/byte_depthwise.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include "kernels/tile_gemm/quads-inl.hpp"
#include "kernels/tile_gemm/simd_requantize-inl.hpp"
// clang-format on

// A word holds what one channel reads in one column of the image: three bytes, one of each row, and the last one again, which meets a
// weight of zero. So a tap column is one product of quads, and a column that was interleaved once serves the three (at stride 2, one or two) outputs around it.
//
// Interleaving bytes and then halves leaves the channels of a vector in four vectors: lane l of vector i is channel
// 16 · (l / 4) + 4 · i + l % 4. Weights, offsets and factors are packed that way, and x86's packing of s32 to bytes undoes it.
//
// Arm's products are of signed bytes: pixels come without 128, which the offsets make up for. Where it has no SDOT, tap by tap is
// shorter than by quads.
//
// A packed block: weights [3 columns][4 vectors][lanes] words, offsets [4][lanes] s32, factors [4][lanes] f32.
HWY_BEFORE_NAMESPACE();
namespace edgelab::kernels::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
namespace tg = tile_gemm::HWY_NAMESPACE;
namespace vm = vector_math::HWY_NAMESPACE;
using tg::VI;
using tg::Whole;

// Vectors that have no size can't stand in a struct.
#if HWY_TARGET == HWY_SCALAR || HWY_HAVE_SCALABLE
constexpr std::int64_t kLanes = 1;
constexpr std::int64_t kParts = 1;  // vectors of a block

std::int64_t channel_of(std::int64_t, std::int64_t) { return 0; }

void run_row(const ByteDepthwiseRow& r) {
  const std::int64_t outputs = (r.width - 1) / r.stride + 1;
  for (std::int64_t c = 0; c < r.channels; ++c) {
    const auto* words = reinterpret_cast<const std::int32_t*>(r.weights->bytes.data()) + (r.first + c) * 5;
    float factor;
    std::memcpy(&factor, words + 4, sizeof factor);
    for (std::int64_t j = 0; j < outputs; ++j) {
      std::int32_t sum = words[3];
      for (std::int64_t v = 0; v < 3; ++v) {
        const std::int64_t column = j * r.stride + v - 1;
        for (std::size_t u = 0; u < 3; ++u) {
          const bool inside = r.rows[u] != nullptr && column >= 0 && column < r.width;
          const std::uint8_t x = inside ? r.rows[u][column * r.pixel + c] : r.outside[c];
          sum += x * static_cast<std::int8_t>(words[v] >> (8 * u));
        }
      }
      r.out[j * r.out_pixel + c] = tile_gemm::to_u8(r.grid, static_cast<float>(sum) * factor);
    }
  }
}
#else
constexpr auto kLanes = static_cast<std::int64_t>(HWY_MAX_BYTES / 4);
constexpr std::int64_t kParts = 4;

using Byte = hn::Repartition<std::uint8_t, Whole>;
using Half = hn::Repartition<std::uint16_t, Whole>;

std::int64_t channel_of(std::int64_t part, std::int64_t lane) { return 16 * (lane / 4) + 4 * part + lane % 4; }

HWY_INLINE hn::Vec<Byte> load(const std::uint8_t* from, std::int64_t count) {
  if (count >= 4 * kLanes) return hn::LoadU(Byte(), from);
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3
  return hn::Vec<Byte>{_mm512_maskz_loadu_epi8(~__mmask64{0} >> (64 - count), from)};
#else
  HWY_ALIGN std::uint8_t bytes[4 * kLanes] = {};
  std::memcpy(bytes, from, static_cast<std::size_t>(count));
  return hn::Load(Byte(), bytes);
#endif
}

// One column of the image, interleaved; or what belongs to its channels.
struct Column {
  VI q0, q1, q2, q3;
};

HWY_INLINE VI words_at(const std::int32_t* packed, std::int64_t vector) { return hn::Load(Whole(), packed + vector * kLanes); }
HWY_INLINE Column column_at(const std::int32_t* packed, std::int64_t part) {
  return {words_at(packed, 4 * part), words_at(packed, 4 * part + 1), words_at(packed, 4 * part + 2), words_at(packed, 4 * part + 3)};
}

// The channels of a block in a row. kWhole: as many as its vectors hold.
template <bool kWhole> struct Block {
  const std::uint8_t *row0, *row1, *row2, *outside;  // at the first channel, the rows at column 0 and possibly outside too
  std::int64_t step0, step1, step2;                  // 0 where the row lies outside
  std::int64_t width, outputs, count;
  std::uint8_t* out;
  std::int64_t out_pixel;
  tile_gemm::Requantize grid;

  static HWY_INLINE hn::Vec<Byte> pixel(const std::uint8_t* from, std::int64_t count) {
    const auto bytes = kWhole ? hn::LoadU(Byte(), from) : load(from, count);
#if EDGELAB_NEON
    return hn::Xor(bytes, hn::Set(Byte(), 128));
#else
    return bytes;
#endif
  }
};

// The vectors of a column, as products by quads want them.
struct Quads {
  using Pixels = Column;
  template <class Block> static HWY_INLINE Column of(const Block& b, const std::uint8_t* p0, const std::uint8_t* p1, const std::uint8_t* p2) {
    const Half halves;
    const auto x0 = b.pixel(p0, b.count), x1 = b.pixel(p1, b.count), x2 = b.pixel(p2, b.count);
    const auto low = hn::BitCast(halves, hn::InterleaveLower(Byte(), x0, x1)), high = hn::BitCast(halves, hn::InterleaveUpper(Byte(), x0, x1));
    const auto low2 = hn::BitCast(halves, hn::InterleaveLower(Byte(), x2, x2)), high2 = hn::BitCast(halves, hn::InterleaveUpper(Byte(), x2, x2));
    const Whole words;
    return {hn::BitCast(words, hn::InterleaveLower(halves, low, low2)), hn::BitCast(words, hn::InterleaveUpper(halves, low, low2)),
            hn::BitCast(words, hn::InterleaveLower(halves, high, high2)), hn::BitCast(words, hn::InterleaveUpper(halves, high, high2))};
  }
};

template <class Layout, class Block> HWY_INLINE typename Layout::Pixels inside(const Block& b, std::int64_t at) {
  return Layout::of(b, b.row0 + at * b.step0, b.row1 + at * b.step1, b.row2 + at * b.step2);
}
template <class Layout, class Block> HWY_INLINE typename Layout::Pixels anywhere(const Block& b, std::int64_t at) {
  return at >= 0 && at < b.width ? inside<Layout>(b, at) : Layout::of(b, b.outside, b.outside, b.outside);
}

template <bool kNatively> HWY_INLINE VI product(VI u, VI s, VI sum) {
#if EDGELAB_VNNI || EDGELAB_NEON
  if constexpr (kNatively) return tg::dot_natively(u, s, sum);
#endif
  return tg::dot(u, s, sum);
}

template <bool kNatively> HWY_INLINE void add(const Column& x, const Column& weights, Column& sums) {
  sums.q0 = product<kNatively>(x.q0, weights.q0, sums.q0);
  sums.q1 = product<kNatively>(x.q1, weights.q1, sums.q1);
  sums.q2 = product<kNatively>(x.q2, weights.q2, sums.q2);
  sums.q3 = product<kNatively>(x.q3, weights.q3, sums.q3);
}

HWY_INLINE vm::V scaled(VI sum, VI factor) { return hn::Mul(hn::ConvertTo(vm::D(), sum), hn::BitCast(vm::D(), factor)); }

template <bool kWhole>
HWY_INLINE void store(const tile_gemm::Requantize& grid, const Column& factors, const Column& sums, std::uint8_t* to, std::int64_t some) {
  const std::int64_t count = kWhole ? 4 * kLanes : some;
  const vm::V f0 = scaled(sums.q0, factors.q0), f1 = scaled(sums.q1, factors.q1), f2 = scaled(sums.q2, factors.q2), f3 = scaled(sums.q3, factors.q3);
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3
  const __m512i bytes = tg::to_u8_by_lanes(grid, f0, f1, f2, f3);
  if (count >= 64) return _mm512_storeu_si512(to, bytes);
  _mm512_mask_storeu_epi8(to, ~__mmask64{0} >> (64 - count), bytes);
#elif EDGELAB_NEON
  tg::store_first(tg::to_u8_in_order(grid, f0, f1, f2, f3), to, static_cast<std::size_t>(count));
#else
  HWY_ALIGN std::int32_t words[4 * kLanes];
  hn::Store(tg::to_u8(grid, f0), Whole(), words);
  hn::Store(tg::to_u8(grid, f1), Whole(), words + kLanes);
  hn::Store(tg::to_u8(grid, f2), Whole(), words + 2 * kLanes);
  hn::Store(tg::to_u8(grid, f3), Whole(), words + 3 * kLanes);
  for (std::int64_t c = 0; c < std::min(count, 4 * kLanes); ++c) to[c] = static_cast<std::uint8_t>(words[c % 16 / 4 * kLanes + c / 16 * 4 + c % 4]);
#endif
}

// All outputs, sums(before, at, after) of three columns. Those that certainly have all columns come three by three (at stride 2 two by
// two), so that a column stays in the registers where it was: moving them was a tenth of the instructions on Arm, asking for the
// image's end another.
template <class Layout, int kStride, bool kWhole, class Sums> HWY_INLINE void each_output(const Block<kWhole>& b, const Column& factors, const Sums& sums) {
  using Pixels = typename Layout::Pixels;
  std::uint8_t* out = b.out;
  const auto emit = [&](const Pixels& before, const Pixels& at, const Pixels& after) HWY_ATTR {
    store<kWhole>(b.grid, factors, sums(before, at, after), out, b.count);
    out += b.out_pixel;
  };
  std::int64_t j = 0;
  Pixels first = anywhere<Layout>(b, -1), second = inside<Layout>(b, 0), third = second;
  if constexpr (kStride == 1) {
    for (; j + 3 < b.outputs; j += 3) {
      third = inside<Layout>(b, j + 1);
      emit(first, second, third);
      first = inside<Layout>(b, j + 2);
      emit(second, third, first);
      second = inside<Layout>(b, j + 3);
      emit(third, first, second);
    }
    for (; j < b.outputs; ++j) {
      third = anywhere<Layout>(b, j + 1);
      emit(first, second, third);
      first = second;
      second = third;
    }
  } else {
    for (; j + 2 < b.outputs; j += 2) {
      second = inside<Layout>(b, 2 * j);
      third = inside<Layout>(b, 2 * j + 1);
      emit(first, second, third);
      second = inside<Layout>(b, 2 * j + 2);
      first = inside<Layout>(b, 2 * j + 3);
      emit(third, second, first);
    }
    for (; j < b.outputs; ++j) {
      second = inside<Layout>(b, 2 * j);
      third = anywhere<Layout>(b, 2 * j + 1);
      emit(first, second, third);
      first = third;
    }
  }
}

template <bool kNatively, int kStride, bool kWhole> HWY_INLINE void run_quads(const Block<kWhole>& block, const std::int32_t* packed) {
  const Column left = column_at(packed, 0), middle = column_at(packed, 1), right = column_at(packed, 2), offsets = column_at(packed, 3);
  each_output<Quads, kStride>(block, column_at(packed, 4), [&](const Column& before, const Column& at, const Column& after) HWY_ATTR {
    Column sums = offsets;
    add<kNatively>(before, left, sums);
    add<kNatively>(at, middle, sums);
    add<kNatively>(after, right, sums);
    return sums;
  });
}

#if EDGELAB_NEON
HWY_INLINE void add_halves(Column& sums, int16x8_t low, int16x8_t high) {
  sums.q0.raw = vaddw_s16(sums.q0.raw, vget_low_s16(low));
  sums.q1.raw = vaddw_high_s16(sums.q1.raw, low);
  sums.q2.raw = vaddw_s16(sums.q2.raw, vget_low_s16(high));
  sums.q3.raw = vaddw_high_s16(sums.q3.raw, high);
}

HWY_INLINE void add_tap(Column& sums, int8x16_t x, int8x16_t w) { add_halves(sums, vmull_s8(vget_low_s8(x), vget_low_s8(w)), vmull_high_s8(x, w)); }

// Two taps. Their products, 16 bits each, are added there where no weight is −128.
template <bool kSafe> HWY_INLINE void add_taps(Column& sums, int8x16_t x0, int8x16_t w0, int8x16_t x1, int8x16_t w1) {
  if constexpr (kSafe) {
    const int16x8_t low = vmull_s8(vget_low_s8(x0), vget_low_s8(w0)), high = vmull_high_s8(x0, w0);
    return add_halves(sums, vmlal_s8(low, vget_low_s8(x1), vget_low_s8(w1)), vmlal_high_s8(high, x1, w1));
  }
  add_tap(sums, x0, w0);
  add_tap(sums, x1, w1);
}

// The three rows of one column of the image.
struct Taps {
  struct Pixels {
    int8x16_t x0, x1, x2;
  };
  template <class Block> static HWY_INLINE Pixels of(const Block& b, const std::uint8_t* p0, const std::uint8_t* p1, const std::uint8_t* p2) {
    const auto row = [&](const std::uint8_t* from) HWY_ATTR { return vreinterpretq_s8_u8(b.pixel(from, b.count).raw); };
    return {row(p0), row(p1), row(p2)};
  }
};

template <bool kSafe, int kStride, bool kWhole> HWY_INLINE void run_taps(const Block<kWhole>& block, const std::int32_t* packed) {
  const auto* taps = reinterpret_cast<const std::int8_t*>(packed);
  const int8x16x4_t left = vld4q_s8(taps), middle = vld4q_s8(taps + 64), right = vld4q_s8(taps + 128);
  const Column offsets = column_at(packed, 3);
  each_output<Taps, kStride>(block, column_at(packed, 4), [&](const Taps::Pixels& before, const Taps::Pixels& at, const Taps::Pixels& after) HWY_ATTR {
    Column sums = offsets;
    add_taps<kSafe>(sums, before.x0, left.val[0], before.x1, left.val[1]);
    add_taps<kSafe>(sums, before.x2, left.val[2], at.x2, middle.val[2]);
    add_taps<kSafe>(sums, at.x0, middle.val[0], at.x1, middle.val[1]);
    add_taps<kSafe>(sums, after.x0, right.val[0], after.x1, right.val[1]);
    add_tap(sums, after.x2, right.val[2]);
    return sums;
  });
}

HWY_INLINE bool safe(const std::int32_t* packed) {
  const auto* taps = reinterpret_cast<const std::int8_t*>(packed);
  int8x16_t least = vdupq_n_s8(0);
  for (int i = 0; i < 12; ++i) least = vminq_s8(least, vld1q_s8(taps + 16 * i));
  return vminvq_s8(least) > -128;
}
#endif

template <bool kNatively, int kStride, bool kWhole> void run_block(const ByteDepthwiseRow& r, std::int64_t channel, const std::int32_t* packed) {
  const std::uint8_t* outside = r.outside + channel;
  const auto row = [&](std::size_t u) { return r.rows[u] == nullptr ? outside : r.rows[u] + channel; };
  const auto step = [&](std::size_t u) { return r.rows[u] == nullptr ? 0 : r.pixel; };
  // All by itself: a store of bytes may change anything that is not.
  const Block<kWhole> block{row(0), row(1), row(2), outside, step(0), step(1), step(2), r.width, (r.width - 1) / kStride + 1, r.channels - channel,
                            r.out + channel, r.out_pixel, r.grid};
#if EDGELAB_NEON
  if constexpr (!kNatively) return safe(packed) ? run_taps<true, kStride>(block, packed) : run_taps<false, kStride>(block, packed);
#endif
  run_quads<kNatively, kStride>(block, packed);
}

template <bool kNatively, bool kWhole> void run_block(const ByteDepthwiseRow& r, std::int64_t channel, const std::int32_t* packed) {
  r.stride == 1 ? run_block<kNatively, 1, kWhole>(r, channel, packed) : run_block<kNatively, 2, kWhole>(r, channel, packed);
}

template <bool kNatively> void run_blocks(const ByteDepthwiseRow& r) {
  constexpr std::int64_t kChannels = kParts * kLanes, kWords = 5 * kChannels;
  for (std::int64_t c = 0; c < r.channels; c += kChannels) {
    const auto* packed = reinterpret_cast<const std::int32_t*>(r.weights->bytes.data()) + (r.first + c) / kChannels * kWords;
    r.channels - c >= kChannels ? run_block<kNatively, true>(r, c, packed) : run_block<kNatively, false>(r, c, packed);
  }
}

void run_row(const ByteDepthwiseRow& r) {
#if EDGELAB_VNNI
  static const bool natively = this_machine().has("avx512_vnni");
  if (natively) return run_blocks<true>(r);
#elif EDGELAB_NEON
  static const bool natively = this_machine().has("asimddp");
  if (natively) return run_blocks<true>(r);
#endif
  run_blocks<false>(r);
}
#endif

constexpr std::int32_t kLess = EDGELAB_NEON ? 128 : 0;  // what pixels lack

std::int64_t channels_of_block() { return kParts * kLanes; }

Tensor pack(const Tensor& weight, const IntegerTables& tables, std::int32_t zero_point) {
  const std::int64_t channels = weight.shape()[0], block = kParts * kLanes, blocks = (channels + block - 1) / block;
  const std::vector<std::int32_t> sums = row_sums(weight);
  const auto* taps = weight.as<std::int8_t>().data();
  Tensor packed(DType::s32, {blocks, 5 * block});
  auto* to = packed.as<std::int32_t>().data();
  for (std::int64_t b = 0; b < blocks; ++b, to += 5 * block) {
    for (std::int64_t i = 0; i < kParts * kLanes; ++i) {
      const std::int64_t c = b * block + channel_of(i / kLanes, i % kLanes);
      if (c >= channels) continue;
      for (std::int64_t v = 0; v < 3; ++v) {
        std::uint32_t word = 0;
        for (std::int64_t u = 0; u < 3; ++u) word |= static_cast<std::uint32_t>(static_cast<std::uint8_t>(taps[c * 9 + 3 * u + v])) << (8 * u);
        to[v * block + i] = static_cast<std::int32_t>(word);
      }
      to[3 * block + i] = tables.bias[static_cast<std::size_t>(c)] - (zero_point - kLess) * sums[static_cast<std::size_t>(c)];
      std::memcpy(to + 4 * block + i, &tables.factor[static_cast<std::size_t>(c)], sizeof(float));
    }
  }
  return packed;
}

}  // namespace edgelab::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace edgelab::kernels {

HWY_EXPORT(run_row);
HWY_EXPORT(pack);
HWY_EXPORT(channels_of_block);

std::int64_t ByteDepthwiseWeights::block() { return HWY_DYNAMIC_DISPATCH(channels_of_block)(); }

ByteDepthwiseWeights pack_byte_depthwise(const Tensor& weight, const IntegerTables& tables, std::int32_t zero_point) {
  return {HWY_DYNAMIC_DISPATCH(pack)(weight, tables, zero_point), weight.shape()[0]};
}

void byte_depthwise_row(const ByteDepthwiseRow& row) { HWY_DYNAMIC_DISPATCH(run_row)(row); }

}  // namespace edgelab::kernels
#endif
