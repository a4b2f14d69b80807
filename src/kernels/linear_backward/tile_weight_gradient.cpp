#include "kernels/linear_backward/tile_weight_gradient.hpp"

#include <algorithm>
#include <cstring>

#include "kernels/aligned.hpp"
#include "kernels/layer_norm/layer_norm_rows.hpp"
#include "kernels/prefetch.hpp"
#include "kernels/sum_to/column_sums.hpp"

namespace edgelab::kernels {
namespace {

using tile_gemm::Blocks;
using tile_gemm::ColumnBlocks;

// A piece of dw of 384 × 384 is 576 KiB, the slices of dy and x that it is made of are 384 KiB each in f32; DeiT-Ti's
// pieces are half of that or less, so that all three are in an L2 of 1 MiB.
constexpr std::int64_t kMostRows = 384, kMostColumns = 384;
constexpr std::int64_t kDepth = 256;
constexpr std::int64_t kTileDepth = 32;  // pairs of bf16 in a row of AMX's tiles, times two

// Words from one row to the next: whole cache lines, and not a power of two of them.
std::int64_t padded(std::int64_t words) { return (words + 15) / 16 * 16 + 16; }

// Into pieces of near-equal size, at most `most` long; as many more as it takes to give each of `members` one.
Blocks cut(std::int64_t total, std::int64_t most, std::int64_t members, std::int64_t grain) {
  return tile_gemm::equal_blocks(total, std::max((total + most - 1) / most, members), grain);
}

}  // namespace

TileWeightGradient::TileWeightGradient(const TileWeightGradientSettings& settings, int threads, const Machine& machine)
    : settings_(settings), threads_(threads), machine_(machine), simd_(tile_gemm::best_simd_target()),
      turns_(settings.compute == DType::bf16 && machine.has("amx_bf16")) {
  const bool by_rows = settings.n >= settings.k;
  rows_ = cut(settings.n, kMostRows, by_rows ? threads : 1, 6);  // whole register tiles
  columns_ = cut(settings.k, kMostColumns, by_rows ? 1 : threads, ColumnBlocks::kColumns);
  depths_ = tile_gemm::equal_blocks(settings.rows, (settings.rows + kDepth - 1) / kDepth, turns_ ? kTileDepth : 4);
  gathered_ld_ = padded(rows_.size);
  turned_ld_ = padded((depths_.size + 1) / 2);
  std::size_t packed_bytes = 0, gemm_bytes = 0;
  for (const bool last_columns : {false, true}) {
    for (const bool last_depth : {false, true}) {
      tile_gemm::Settings product;
      product.m = 1;
      product.n = columns_.extent(last_columns ? columns_.count() - 1 : 0);
      product.k = depths_.extent(last_depth ? depths_.count() - 1 : 0);
      product.lda = turns_ ? 2 * turned_ld_ : gathered_ld_;
      product.transposed_a = !turns_;
      product.ldc = settings.k;
      product.a = product.b = settings.compute;
      product.accumulate = true;
      ColumnBlocks& blocks = products_[last_columns ? 1 : 0][last_depth ? 1 : 0];
      blocks = ColumnBlocks(product, {rows_.extent(0), rows_.extent(rows_.count() - 1)}, machine);
      packed_bytes = std::max(packed_bytes, blocks.packed_bytes());
      gemm_bytes = std::max(gemm_bytes, blocks.scratch_bytes());
    }
  }
  const bool narrow = settings.compute != DType::f32;
  const auto elements = [](std::int64_t count, DType type) { return aligned(static_cast<std::size_t>(count) * size_of(type)); };
  turned_at_ = elements((narrow ? (depths_.size + 1) / 2 : depths_.size) * gathered_ld_, DType::f32);
  packed_at_ = turned_at_ + (turns_ ? elements(rows_.size * turned_ld_, DType::f32) : 0);
  rounded_at_ = packed_at_ + aligned(packed_bytes);
  gemm_at_ = rounded_at_ + (narrow ? elements(depths_.size * columns_.size, settings.compute) : 0);
  member_bytes_ = gemm_at_ + aligned(gemm_bytes);
}

// The slice of dy, close together: where it lies, its rows may be a multiple of so many cache lines apart that they share a
// few sets of L1. For bf16 rounded, in pairs of rows; and turned, where the kernel is one that reads rows of A. (On Sapphire
// Rapids Highway's bf16, which takes it as it is, is 0.6 times as fast as fp32, and AMX with the turning four times.)
const void* TileWeightGradient::gather(const Slice& s, const float* dy, std::byte* own) const {
  const float* from = dy + s.first * settings_.n + s.row;
  auto* words = reinterpret_cast<std::uint32_t*>(own);
  if (settings_.compute == DType::bf16) {
    simd_.pair(from, settings_.n, s.count, s.rows, words, gathered_ld_);
    if (!turns_) return own;
    tile_gemm::Panel panel;  // a packed B of 32-bit elements is what a turned matrix is
    panel.b = {words, gathered_ld_, true};
    panel.k = s.rows;
    panel.columns = (s.count + 1) / 2;
    panel.width = turned_ld_;
    panel.to = reinterpret_cast<std::uint32_t*>(own + turned_at_);
    simd_.pack(panel);
    return panel.to;
  }
  for (std::int64_t row = 0; row < s.count; ++row) {
    if (row + kRowsAhead < s.count) prefetch_row(from + (row + kRowsAhead) * settings_.n, 4 * s.rows);
    std::memcpy(words + row * gathered_ld_, from + row * settings_.n, static_cast<std::size_t>(s.rows) * sizeof(float));
  }
  return own;
}

void TileWeightGradient::pack(const Slice& s, const ColumnBlocks& product, const std::byte* x, std::byte* own) const {
  const std::byte* from = x + (s.first * settings_.k + s.column) * static_cast<std::int64_t>(size_of(settings_.x));
  if (settings_.compute == settings_.x) return product.pack({from, settings_.k, false}, own + packed_at_);
  auto* rounded = reinterpret_cast<std::uint16_t*>(own + rounded_at_);
  round_rows(reinterpret_cast<const float*>(from), settings_.k, rounded, s.columns, s.count, s.columns);
  product.pack({rounded, s.columns, false}, own + packed_at_);
}

// Whose biases a piece sums: pieces beside each other read the same rows of dy.
Member::Part TileWeightGradient::bias_part(std::int64_t row, std::int64_t rows, std::int64_t column) const {
  const std::int64_t index = column / columns_.size, count = columns_.count();
  return {row + rows * index / count, row + rows * (index + 1) / count};
}

void TileWeightGradient::add(const Slice& s, const Memory& memory, std::byte* own) const {
  const ColumnBlocks& product = products_[s.column + s.columns == settings_.k ? 1 : 0][s.first + s.count == settings_.rows ? 1 : 0];
  tile_gemm::Arguments arguments;
  arguments.a = gather(s, memory.dy, own);
  pack(s, product, memory.x, own);
  arguments.packed_b = own + packed_at_;
  arguments.c = memory.dw + s.row * settings_.k + s.column;
  arguments.scratch = own + gemm_at_;
  product.run(s.rows, arguments);
  if (memory.db == nullptr) return;
  const Member::Part bias = bias_part(s.row, s.rows, s.column);
  add_column_sums(memory.dy + s.first * settings_.n + bias.begin, settings_.n, s.count, bias.size(), memory.db + bias.begin);
}

void TileWeightGradient::run(const Member& member, const Memory& memory) const {
  std::byte* own = memory.scratch + static_cast<std::size_t>(member.index()) * member_bytes_;
  const Member::Part part = member.part(rows_.count() * columns_.count());
  for (std::int64_t piece = part.begin; piece < part.end; ++piece) {
    const std::int64_t r = piece / columns_.count(), c = piece % columns_.count();
    Slice slice{0, 0, rows_.begin(r), rows_.extent(r), columns_.begin(c), columns_.extent(c)};
    for (std::int64_t row = slice.row; row < slice.row + slice.rows; ++row) {
      std::memset(memory.dw + row * settings_.k + slice.column, 0, static_cast<std::size_t>(slice.columns) * sizeof(float));
    }
    if (memory.db != nullptr) {
      const Member::Part bias = bias_part(slice.row, slice.rows, slice.column);
      std::memset(memory.db + bias.begin, 0, static_cast<std::size_t>(bias.size()) * sizeof(float));
    }
    for (std::int64_t depth = 0; depth < depths_.count(); ++depth) {
      slice.first = depths_.begin(depth);
      slice.count = depths_.extent(depth);
      add(slice, memory, own);
    }
  }
}

}  // namespace edgelab::kernels
