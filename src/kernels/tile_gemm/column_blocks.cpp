#include "kernels/tile_gemm/column_blocks.hpp"

#include <algorithm>

#include "kernels/tile_gemm/tiled_product.hpp"

namespace edgelab::kernels::tile_gemm {
namespace {

const std::byte* moved(const void* base, DType type, std::int64_t elements) {
  return static_cast<const std::byte*>(base) + elements * static_cast<std::int64_t>(size_of(type));
}

}  // namespace

std::vector<std::int64_t> Bands::heights(int threads) const {
  std::vector<std::int64_t> heights;
  const auto note = [&](std::int64_t, std::int64_t count) {
    if (std::find(heights.begin(), heights.end(), count) == heights.end()) heights.push_back(count);
  };
  TeamBarrier barrier(threads, 0);
  for (int i = 0; i < threads; ++i) each(Member(i, &barrier), note);
  each(Member(0, nullptr), note);
  return heights;
}

ColumnBlocks::ColumnBlocks(const Settings& settings, std::vector<std::int64_t> heights, const Machine& machine) : settings_(settings) {
  const auto make = [&](std::int64_t rows, std::int64_t columns) {
    Settings block = settings;
    block.m = rows;
    block.n = columns;
    const Choice choice = choose_for_layers(block, machine);
    // B is packed for one implementation. None refuses for the sake of M alone, so that one choice holds for all.
    implementation_ = choice.implementation;
    scratch_bytes_ = std::max(scratch_bytes_, choice.kernel.scratch_bytes());
    block_bytes_ = std::max(block_bytes_, choice.kernel.packed_bytes());
    return choice.kernel;
  };
  for (const std::int64_t rows : heights) {
    Kernels kernels{rows, {}, {}};
    if (settings.n >= kColumns) kernels.full = make(rows, kColumns);
    if (settings.n % kColumns != 0) kernels.tail = make(rows, settings.n % kColumns);
    kernels_.push_back(std::move(kernels));
  }
}

void ColumnBlocks::pack(const PlainB& b, std::byte* to) const noexcept {
  for (std::int64_t block = 0; block < blocks(); ++block) {
    const std::int64_t column = block * kColumns;
    pack_block(block, {moved(b.data, settings_.b, b.transposed ? column * b.ld : column), b.ld, b.transposed}, to);
  }
}

void ColumnBlocks::pack_block(std::int64_t block, const PlainB& b, std::byte* to) const noexcept {
  packing(block).pack(b, to + static_cast<std::size_t>(block) * block_bytes_);
}

void ColumnBlocks::run(std::int64_t rows, std::int64_t block, const Arguments& whole, void* c) const noexcept {
  Arguments from = whole;
  from.packed_b = static_cast<const std::byte*>(whole.packed_b) + static_cast<std::size_t>(block) * block_bytes_;
  if (block + 1 < blocks()) from.next_b = static_cast<const std::byte*>(from.packed_b) + block_bytes_;
  from.c = c;
  run_packed(rows, block, from);
}

void ColumnBlocks::run_packed(std::int64_t rows, std::int64_t block, const Arguments& whole) const noexcept {
  const std::int64_t column = block * kColumns;
  const Kernels* kernels = kernels_.data();
  while (kernels->rows != rows) ++kernels;
  Arguments part = whole;
  if (whole.bias != nullptr) part.bias = whole.bias + column;
  if (settings_.epilogue.offset) part.offset = whole.offset + column;
  if (settings_.epilogue.scale == Scale::per_column) part.scale = whole.scale + column;
  if (whole.residual != nullptr) part.residual = moved(whole.residual, settings_.epilogue.residual_type, column);
  of_block(*kernels, block).run(part);
}

std::string describe(std::string_view implementation, DType operands, const Machine& machine) {
  const std::string_view emulated = emulation(operands, implementation, machine);
  return std::string(implementation) + (operands == DType::f32 ? "" : " " + std::string(name_of(operands))) +
         (emulated.empty() ? "" : ", " + std::string(emulated));
}

PackedWeight pack_weight(const Tensor& weight, DType operands, std::int64_t depth, const ColumnBlocks& blocks, const ColumnBlocks& last,
                         PackCache& packs) {
  const std::int64_t k = weight.shape()[1], pieces = (k + depth - 1) / depth;
  const std::string name = "column blocks " + std::string(blocks.implementation()) + " " + std::string(name_of(operands)) + " " + std::to_string(depth);
  PackedWeight packed;
  packed.piece_bytes = std::max(blocks.packed_bytes(), last.packed_bytes());
  packed.bytes = packs.get(weight, {name.begin(), name.end()}, [&] {
    const Tensor source = operands == DType::bf16 ? rounded_to_bf16(weight) : weight;
    Tensor bytes(DType::u8, {pieces * static_cast<std::int64_t>(packed.piece_bytes)});
    for (std::int64_t piece = 0; piece < pieces; ++piece) {
      const bool whole = (piece + 1) * depth <= k;
      (whole ? blocks : last).pack({moved(source.data(), operands, piece * depth), k, true}, bytes.data() + static_cast<std::size_t>(piece) * packed.piece_bytes);
    }
    return bytes;
  });
  return packed;
}

}  // namespace edgelab::kernels::tile_gemm
