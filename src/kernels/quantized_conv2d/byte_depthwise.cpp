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

// A word holds what one channel reads in one column of the image: three bytes, one of each row, and a zero. So a tap column is one
// product of quads, and a column that was interleaved once serves the three (at stride 2, one or two) outputs around it.
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

// One column of the image, interleaved.
struct Column {
  VI q0, q1, q2, q3;
};

struct Block {
  const ByteDepthwiseRow& row;
  std::int64_t channel, count;
  const std::uint8_t* rows[3];
  std::int64_t steps[3];  // 0 where the row lies outside

  HWY_INLINE hn::Vec<Byte> pixel(int u, std::int64_t column) const {
    const bool inside = column >= 0 && column < row.width;
    const auto bytes = load(inside ? rows[u] + column * steps[u] : row.outside + channel, count);
#if EDGELAB_NEON
    return hn::Xor(bytes, hn::Set(Byte(), 128));
#else
    return bytes;
#endif
  }
  HWY_INLINE Column column(std::int64_t at) const {
    const Half halves;
    const auto x0 = pixel(0, at), x1 = pixel(1, at), x2 = pixel(2, at), zero = hn::Zero(Byte());
    const auto low = hn::BitCast(halves, hn::InterleaveLower(Byte(), x0, x1)), high = hn::BitCast(halves, hn::InterleaveUpper(Byte(), x0, x1));
    const auto low2 = hn::BitCast(halves, hn::InterleaveLower(Byte(), x2, zero)), high2 = hn::BitCast(halves, hn::InterleaveUpper(Byte(), x2, zero));
    const Whole words;
    return {hn::BitCast(words, hn::InterleaveLower(halves, low, low2)), hn::BitCast(words, hn::InterleaveUpper(halves, low, low2)),
            hn::BitCast(words, hn::InterleaveLower(halves, high, high2)), hn::BitCast(words, hn::InterleaveUpper(halves, high, high2))};
  }
};

template <bool kNatively> HWY_INLINE VI product(VI u, VI s, VI sum) {
#if EDGELAB_VNNI || EDGELAB_NEON
  if constexpr (kNatively) return tg::dot_natively(u, s, sum);
#endif
  return tg::dot(u, s, sum);
}

HWY_INLINE VI words_at(const std::int32_t* packed, std::int64_t vector) { return hn::Load(Whole(), packed + vector * kLanes); }

template <bool kNatively> HWY_INLINE void add(const Column& x, const std::int32_t* packed, std::int64_t tap, Column& sums) {
  sums.q0 = product<kNatively>(x.q0, words_at(packed, 4 * tap), sums.q0);
  sums.q1 = product<kNatively>(x.q1, words_at(packed, 4 * tap + 1), sums.q1);
  sums.q2 = product<kNatively>(x.q2, words_at(packed, 4 * tap + 2), sums.q2);
  sums.q3 = product<kNatively>(x.q3, words_at(packed, 4 * tap + 3), sums.q3);
}

HWY_INLINE vm::V scaled(VI sum, const std::int32_t* packed, std::int64_t part) {
  return hn::Mul(hn::ConvertTo(vm::D(), sum), hn::BitCast(vm::D(), words_at(packed, 16 + part)));
}

HWY_INLINE void store(const tile_gemm::Requantize& grid, const std::int32_t* packed, const Column& sums, std::uint8_t* to, std::int64_t count) {
  const vm::V f0 = scaled(sums.q0, packed, 0), f1 = scaled(sums.q1, packed, 1), f2 = scaled(sums.q2, packed, 2), f3 = scaled(sums.q3, packed, 3);
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

template <bool kNatively, int kStride> HWY_INLINE void run_block(const Block& block, const std::int32_t* packed) {
  const ByteDepthwiseRow& r = block.row;
  const tile_gemm::Requantize grid = r.grid;
  const std::int64_t outputs = (r.width - 1) / kStride + 1;
  std::uint8_t* out = r.out + block.channel;
  Column before = block.column(-1), at = block.column(0);
  for (std::int64_t j = 0; j < outputs; ++j, out += r.out_pixel) {
    if (kStride == 2) at = block.column(2 * j);
    const Column after = block.column(kStride * j + 1);
    Column sums{words_at(packed, 12), words_at(packed, 13), words_at(packed, 14), words_at(packed, 15)};
    add<kNatively>(before, packed, 0, sums);
    add<kNatively>(at, packed, 1, sums);
    add<kNatively>(after, packed, 2, sums);
    store(grid, packed, sums, out, block.count);
    before = kStride == 2 ? after : at;
    at = after;
  }
}

#if EDGELAB_NEON
// The products of one or two taps, 16 bits each; a second one is added there where no weight is −128.
template <bool kSafe> HWY_INLINE void add_taps(Column& sums, int8x16_t x0, int8x16_t w0, int8x16_t x1, int8x16_t w1) {
  const auto add = [&sums](int16x8_t low, int16x8_t high) HWY_ATTR {
    sums.q0.raw = vaddw_s16(sums.q0.raw, vget_low_s16(low));
    sums.q1.raw = vaddw_high_s16(sums.q1.raw, low);
    sums.q2.raw = vaddw_s16(sums.q2.raw, vget_low_s16(high));
    sums.q3.raw = vaddw_high_s16(sums.q3.raw, high);
  };
  const int16x8_t low = vmull_s8(vget_low_s8(x0), vget_low_s8(w0)), high = vmull_high_s8(x0, w0);
  if constexpr (kSafe) return add(vmlal_s8(low, vget_low_s8(x1), vget_low_s8(w1)), vmlal_high_s8(high, x1, w1));
  add(low, high);
  add(vmull_s8(vget_low_s8(x1), vget_low_s8(w1)), vmull_high_s8(x1, w1));
}

// The three rows of one column of the image.
struct Pixels {
  int8x16_t x0, x1, x2;
};

template <bool kSafe, int kStride> HWY_INLINE void run_taps(const Block& block, const std::int32_t* packed) {
  const ByteDepthwiseRow& r = block.row;
  const tile_gemm::Requantize grid = r.grid;
  const std::int64_t outputs = (r.width - 1) / kStride + 1;
  std::uint8_t* out = r.out + block.channel;
  const auto pixels = [&block](std::int64_t at) HWY_ATTR {
    const auto row = [&](int u) HWY_ATTR { return vreinterpretq_s8_u8(block.pixel(u, at).raw); };
    return Pixels{row(0), row(1), row(2)};
  };
  const auto* taps = reinterpret_cast<const std::int8_t*>(packed);
  const int8x16x4_t left = vld4q_s8(taps), middle = vld4q_s8(taps + 64), right = vld4q_s8(taps + 128);
  const int8x16_t none = vdupq_n_s8(0);
  Pixels before = pixels(-1), at = pixels(0);
  for (std::int64_t j = 0; j < outputs; ++j, out += r.out_pixel) {
    if (kStride == 2) at = pixels(2 * j);
    const Pixels after = pixels(kStride * j + 1);
    Column sums{words_at(packed, 12), words_at(packed, 13), words_at(packed, 14), words_at(packed, 15)};
    add_taps<kSafe>(sums, before.x0, left.val[0], before.x1, left.val[1]);
    add_taps<kSafe>(sums, before.x2, left.val[2], at.x2, middle.val[2]);
    add_taps<kSafe>(sums, at.x0, middle.val[0], at.x1, middle.val[1]);
    add_taps<kSafe>(sums, after.x0, right.val[0], after.x1, right.val[1]);
    add_taps<kSafe>(sums, after.x2, right.val[2], after.x2, none);
    store(grid, packed, sums, out, block.count);
    before = kStride == 2 ? after : at;
    at = after;
  }
}

HWY_INLINE bool safe(const std::int32_t* packed) {
  const auto* taps = reinterpret_cast<const std::int8_t*>(packed);
  int8x16_t least = vdupq_n_s8(0);
  for (int i = 0; i < 12; ++i) least = vminq_s8(least, vld1q_s8(taps + 16 * i));
  return vminvq_s8(least) > -128;
}

template <int kStride> HWY_INLINE void run_taps(const Block& block, const std::int32_t* packed) {
  safe(packed) ? run_taps<true, kStride>(block, packed) : run_taps<false, kStride>(block, packed);
}
#endif

template <bool kNatively> void run_blocks(const ByteDepthwiseRow& r) {
  constexpr std::int64_t kChannels = kParts * kLanes, kWords = 5 * kChannels;
  for (std::int64_t c = 0; c < r.channels; c += kChannels) {
    Block block{r, c, r.channels - c, {}, {}};
    for (std::size_t u = 0; u < 3; ++u) {
      block.rows[u] = (r.rows[u] == nullptr ? r.outside : r.rows[u]) + c;
      block.steps[u] = r.rows[u] == nullptr ? 0 : r.pixel;
    }
    const auto* packed = reinterpret_cast<const std::int32_t*>(r.weights->bytes.data()) + (r.first + c) / kChannels * kWords;
#if EDGELAB_NEON
    if constexpr (!kNatively) {
      r.stride == 1 ? run_taps<1>(block, packed) : run_taps<2>(block, packed);
      continue;
    }
#endif
    r.stride == 1 ? run_block<kNatively, 1>(block, packed) : run_block<kNatively, 2>(block, packed);
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
