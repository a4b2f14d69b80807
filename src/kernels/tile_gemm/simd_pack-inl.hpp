// Included once for every instruction set, so the guard is Highway's toggle and not `#pragma once`.
#if defined(EDGELAB_TILE_GEMM_SIMD_PACK_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef EDGELAB_TILE_GEMM_SIMD_PACK_INL
#undef EDGELAB_TILE_GEMM_SIMD_PACK_INL
#else
#define EDGELAB_TILE_GEMM_SIMD_PACK_INL
#endif

#include <algorithm>
#include <cstdint>
#include <cstring>

#include <hwy/highway.h>
#include "kernels/prefetch.hpp"
#include "kernels/tile_gemm/simd.hpp"
#include "kernels/tile_gemm/simd_epilogue-inl.hpp"
#include "kernels/tile_gemm/simd_lanes-inl.hpp"

// One panel of packed B: [rows][width] words. Weights are packed once, but attention packs its keys and values in every
// call: word by word that took a fifth of it at 197 tokens.
HWY_BEFORE_NAMESPACE();
namespace edgelab::kernels::tile_gemm::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

HWY_INLINE std::uint32_t word_at(const Panel& p, std::int64_t row, std::int64_t column) {
  const std::int64_t k_step = p.b.transposed ? 1 : p.b.ld, n_step = p.b.transposed ? p.b.ld : 1;
  if (p.group == 1) return static_cast<const std::uint32_t*>(p.b.data)[row * k_step + column * n_step];
  if (p.group == 4) {
    std::uint32_t word = 0;
    const auto* quad = static_cast<const std::uint8_t*>(p.b.data) + 4 * row * k_step + column * n_step;
    for (std::int64_t k = 0; k < 4 && 4 * row + k < p.k; ++k) word |= static_cast<std::uint32_t>(quad[k * k_step]) << (8 * k);
    return word;
  }
  const auto* pair = static_cast<const std::uint16_t*>(p.b.data) + 2 * row * k_step + column * n_step;
  const std::uint32_t second = 2 * row + 1 < p.k ? pair[k_step] : 0u;
  return pair[0] | (second << 16);
}

#if HWY_TARGET != HWY_SCALAR
// Four rows by four columns of words; `step`: bytes from one column of B to the next.
HWY_INLINE void transpose_4x4(const std::uint8_t* from, std::int64_t step, std::uint32_t* to, std::int64_t width) {
  const hn::FixedTag<std::uint8_t, 16> bytes;
  const hn::FixedTag<std::uint32_t, 4> words;
  const hn::FixedTag<std::uint64_t, 2> doubles;
  const auto c0 = hn::BitCast(words, hn::LoadU(bytes, from)), c1 = hn::BitCast(words, hn::LoadU(bytes, from + step));
  const auto c2 = hn::BitCast(words, hn::LoadU(bytes, from + 2 * step)), c3 = hn::BitCast(words, hn::LoadU(bytes, from + 3 * step));
  const auto low01 = hn::BitCast(doubles, hn::InterleaveLower(words, c0, c1)), low23 = hn::BitCast(doubles, hn::InterleaveLower(words, c2, c3));
  const auto high01 = hn::BitCast(doubles, hn::InterleaveUpper(words, c0, c1)), high23 = hn::BitCast(doubles, hn::InterleaveUpper(words, c2, c3));
  hn::StoreU(hn::BitCast(words, hn::InterleaveLower(doubles, low01, low23)), words, to);
  hn::StoreU(hn::BitCast(words, hn::InterleaveUpper(doubles, low01, low23)), words, to + width);
  hn::StoreU(hn::BitCast(words, hn::InterleaveLower(doubles, high01, high23)), words, to + 2 * width);
  hn::StoreU(hn::BitCast(words, hn::InterleaveUpper(doubles, high01, high23)), words, to + 3 * width);
}

// Transposed B: a column's words follow each other. Returns how many rows and columns are done.
HWY_INLINE std::int64_t pack_transposed(const Panel& p, std::int64_t full_rows, std::int64_t columns) {
  const std::int64_t step = p.b.ld * (4 / p.group);
  const auto* from = static_cast<const std::uint8_t*>(p.b.data);
  const std::int64_t rows = full_rows / 4 * 4;
  for (std::int64_t column = 0; column < columns; column += 4) {
    for (std::int64_t next = column + 4; next < column + 8 && next < columns; ++next) prefetch_row(from + next * step, 4 * rows);
    for (std::int64_t row = 0; row < rows; row += 4) transpose_4x4(from + column * step + 4 * row, step, p.to + row * p.width + column, p.width);
  }
  return rows;
}
#endif

HWY_INLINE void pack_pair_row(const std::uint16_t* first, const std::uint16_t* second, std::uint32_t* to, std::int64_t columns) {
  const hn::ScalableTag<std::uint32_t> words;
  const hn::Rebind<std::uint16_t, decltype(words)> halves;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(words));
  std::int64_t column = 0;
  for (; column + lanes <= columns; column += lanes) {
    const auto low = hn::PromoteTo(words, hn::LoadU(halves, first + column)), high = hn::PromoteTo(words, hn::LoadU(halves, second + column));
    hn::StoreU(hn::Or(low, hn::ShiftLeft<16>(high)), words, to + column);
  }
  for (; column < columns; ++column) to[column] = first[column] | (static_cast<std::uint32_t>(second[column]) << 16);
}

#if HWY_TARGET != HWY_SCALAR
// Four rows of bytes to one of words, a byte of each in its order. Returns how many columns are done.
HWY_INLINE std::int64_t pack_quad_row(const std::uint8_t* from, std::int64_t step, std::uint32_t* to, std::int64_t columns) {
  const hn::FixedTag<std::uint8_t, 16> bytes;
  const hn::FixedTag<std::uint16_t, 8> halves;
  const hn::FixedTag<std::uint32_t, 4> words;
  std::int64_t column = 0;
  for (; column + 16 <= columns; column += 16) {
    const auto r0 = hn::LoadU(bytes, from + column), r1 = hn::LoadU(bytes, from + step + column);
    const auto r2 = hn::LoadU(bytes, from + 2 * step + column), r3 = hn::LoadU(bytes, from + 3 * step + column);
    const auto low01 = hn::BitCast(halves, hn::InterleaveLower(bytes, r0, r1)), low23 = hn::BitCast(halves, hn::InterleaveLower(bytes, r2, r3));
    const auto high01 = hn::BitCast(halves, hn::InterleaveUpper(bytes, r0, r1)), high23 = hn::BitCast(halves, hn::InterleaveUpper(bytes, r2, r3));
    hn::StoreU(hn::BitCast(words, hn::InterleaveLower(halves, low01, low23)), words, to + column);
    hn::StoreU(hn::BitCast(words, hn::InterleaveUpper(halves, low01, low23)), words, to + column + 4);
    hn::StoreU(hn::BitCast(words, hn::InterleaveLower(halves, high01, high23)), words, to + column + 8);
    hn::StoreU(hn::BitCast(words, hn::InterleaveUpper(halves, high01, high23)), words, to + column + 12);
  }
  return column;
}
#endif

// Two f32 a lane to one word of two bf16, rounded to nearest even.
HWY_INLINE hn::Vec<hn::RebindToUnsigned<D>> paired(V low, V high, bool natively) {
  const hn::RebindToUnsigned<D> words;
#if EDGELAB_BF16_PAIRS == 2
  if (natively) {
    const hn::Rebind<std::uint16_t, D> halves;
    auto first = hn::Zero(halves), second = first;
    asm("vcvtneps2bf16 %1, %0" : "=v"(first.raw) : "v"(low.raw));
    asm("vcvtneps2bf16 %1, %0" : "=v"(second.raw) : "v"(high.raw));
    return hn::Or(hn::PromoteTo(words, first), hn::ShiftLeft<16>(hn::PromoteTo(words, second)));
  }
#endif
  (void)natively;
  (void)words;
  return hn::Or(vm::rounded_to_bf16(low), hn::ShiftLeft<16>(vm::rounded_to_bf16(high)));
}

void pair_rows(const float* from, std::int64_t ld, std::int64_t rows, std::int64_t columns, std::uint32_t* to, std::int64_t to_ld) {
  const bool natively = narrows_natively();
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(D()));
  for (std::int64_t row = 0; row < rows; row += 2, from += 2 * ld, to += to_ld) {
    const bool alone = row + 1 == rows;
    for (std::int64_t next = kRowsAhead; next < kRowsAhead + 2 && row + next < rows; ++next) prefetch_row(from + next * ld, 4 * columns);
    std::int64_t column = 0;
    for (; !alone && column + lanes <= columns; column += lanes) {
      hn::StoreU(paired(hn::LoadU(D(), from + column), hn::LoadU(D(), from + ld + column), natively), hn::RebindToUnsigned<D>(), to + column);
    }
    for (; column < columns; column += lanes) {
      const auto part = static_cast<std::size_t>(std::min(lanes, columns - column));
      const V high = alone ? hn::Zero(D()) : load_part(from + ld + column, part);
      store_part(hn::BitCast(D(), paired(load_part(from + column, part), high, natively)), reinterpret_cast<float*>(to) + column, part);
    }
  }
}

void pack_panel(const Panel& p) {
  const std::int64_t rows = (p.k + p.group - 1) / p.group, full_rows = p.k / p.group;
  std::int64_t done_rows = 0, done_columns = 0;  // the corner that fast code has written
  if (!p.b.transposed && p.group < 4) {
    for (std::int64_t row = 0; row < full_rows; ++row) {
      if (p.group == 2) {
        const auto* first = static_cast<const std::uint16_t*>(p.b.data) + 2 * row * p.b.ld;
        if (row + 4 < full_rows) prefetch_row(first + 8 * p.b.ld, 2 * p.columns), prefetch_row(first + 9 * p.b.ld, 2 * p.columns);
        pack_pair_row(first, first + p.b.ld, p.to + row * p.width, p.columns);
      } else {
        const auto* first = static_cast<const float*>(p.b.data) + row * p.b.ld;
        if (row + 8 < full_rows) prefetch_row(first + 8 * p.b.ld, 4 * p.columns);
        std::memcpy(p.to + row * p.width, first, static_cast<std::size_t>(p.columns) * sizeof(float));
      }
    }
    done_rows = full_rows;
    done_columns = p.columns;
  }
#if HWY_TARGET != HWY_SCALAR
  if (!p.b.transposed && p.group == 4) {
    const auto* from = static_cast<const std::uint8_t*>(p.b.data);
    for (std::int64_t row = 0; row < full_rows; ++row) done_columns = pack_quad_row(from + 4 * row * p.b.ld, p.b.ld, p.to + row * p.width, p.columns);
    done_rows = full_rows;
  }
  if (p.b.transposed) {
    done_columns = p.columns / 4 * 4;
    done_rows = pack_transposed(p, full_rows, done_columns);
  }
#endif
  for (std::int64_t row = 0; row < rows; ++row) {
    std::uint32_t* to = p.to + row * p.width;
    for (std::int64_t column = row < done_rows ? done_columns : 0; column < p.columns; ++column) to[column] = word_at(p, row, column);
    std::fill(to + p.columns, to + p.width, 0u);
  }
#if EDGELAB_NEON
  if (p.sums != nullptr) finish_byte_panel(p.to, rows, p.width, p.sums, p.unzips);
#endif
}

}  // namespace edgelab::kernels::tile_gemm::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
