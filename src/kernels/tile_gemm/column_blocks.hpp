#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/tensor.hpp"
#include "core/thread_team.hpp"
#include "kernels/pack_cache.hpp"
#include "kernels/tile_gemm/tile_gemm.hpp"

// What layers of a transformer need around tile_gemm: one weight, packed once, against any number of rows; by rows where
// there are many, by columns where there are few.
namespace edgelab::kernels::tile_gemm {

// A member's rows cut into bands of near-equal height, at most `most` rows each.
struct Bands {
  std::int64_t rows = 0, most = 0;

  // Calls work(first, count) for each band of this member.
  template <class Work> void each(const Member& member, const Work& work) const {
    const Member::Part part = member.part(rows);
    const std::int64_t bands = (part.size() + most - 1) / most;
    for (std::int64_t b = 0; b < bands; ++b) {
      const std::int64_t begin = part.begin + part.size() * b / bands, end = part.begin + part.size() * (b + 1) / bands;
      work(begin, end - begin);
    }
  }
  // Every height that occurs with a team of `threads`, or with one alone.
  std::vector<std::int64_t> heights(int threads) const;
};

// A product whose B is cut into blocks of 64 columns, each packed by itself and one behind the other, so that a caller may
// run any of them in any order, from any member. 64 is what both fast implementations cut N into on AVX-512 anyhow.
class ColumnBlocks {
 public:
  static constexpr std::int64_t kColumns = 64;

  ColumnBlocks() = default;
  // `settings` with any m; `heights` are the values of m that run() will be asked for.
  ColumnBlocks(const Settings& settings, std::vector<std::int64_t> heights, const Machine& machine);

  std::int64_t blocks() const { return (settings_.n + kColumns - 1) / kColumns; }
  std::size_t block_bytes() const { return block_bytes_; }
  // Of a packed block: the bytes of B's elements, and those behind them that were reckoned from these (Kernel::reckoned_bytes()). No
  // block has more than block 0.
  std::size_t element_bytes(std::int64_t block) const { return packing(block).packed_bytes() - packing(block).reckoned_bytes(); }
  std::size_t reckoned_bytes(std::int64_t block) const { return packing(block).reckoned_bytes(); }
  std::size_t packed_bytes() const { return static_cast<std::size_t>(blocks()) * block_bytes_; }
  std::size_t scratch_bytes() const { return scratch_bytes_; }
  std::string_view implementation() const { return implementation_; }

  void pack(const PlainB& b, std::byte* to) const noexcept;
  // Block `block` alone; b begins with that block's first column, `to` with block 0.
  void pack_block(std::int64_t block, const PlainB& b, std::byte* to) const noexcept;
  std::int64_t columns(std::int64_t block) const { return std::min(kColumns, settings_.n - block * kColumns); }
  // Rows × block `block` of the columns. The pointers are those of the whole product: C, bias, scale and residual at column
  // 0, packed_b at block 0.
  void run(std::int64_t rows, std::int64_t block, const Arguments& whole) const noexcept { run(rows, block, whole, column_of(whole.c, block)); }
  // The same with a place of its own for the block's first column; whole.c is not read.
  void run(std::int64_t rows, std::int64_t block, const Arguments& whole, void* c) const noexcept;
  // The same with packed B and C of that block alone; the other pointers are those of the whole product.
  void run_packed(std::int64_t rows, std::int64_t block, const Arguments& arguments) const noexcept;
  // All blocks.
  void run(std::int64_t rows, const Arguments& whole) const noexcept {
    for (std::int64_t block = 0; block < blocks(); ++block) run(rows, block, whole);
  }

 private:
  struct Kernels {
    std::int64_t rows = 0;
    Kernel full, tail;
  };
  const Kernel& of_block(const Kernels& kernels, std::int64_t block) const { return columns(block) == kColumns ? kernels.full : kernels.tail; }
  // All heights pack alike.
  const Kernel& packing(std::int64_t block) const { return of_block(kernels_.front(), block); }
  void* column_of(void* c, std::int64_t block) const noexcept {
    return static_cast<std::byte*>(c) + block * kColumns * static_cast<std::int64_t>(size_of(settings_.c));
  }

  Settings settings_;
  std::vector<Kernels> kernels_;  // few: a linear search is the fastest
  std::size_t block_bytes_ = 0, scratch_bytes_ = 0;
  std::string_view implementation_;
};

// "simd bf16", and where that type is only emulated on this machine, that it is.
std::string describe(std::string_view implementation, DType operands, const Machine& machine);

// A weight [N, K] (f32, row-major) packed once by `blocks` for operands of type `operands`, cut along K into pieces of
// `depth`, one behind the other. Shared through `packs`; `blocks` needs K = depth, the last piece `last` if it is shorter.
struct PackedWeight {
  Tensor bytes;
  const std::byte* piece(std::int64_t index) const { return bytes.data() + static_cast<std::size_t>(index) * piece_bytes; }
  std::size_t piece_bytes = 0;
};
PackedWeight pack_weight(const Tensor& weight, DType operands, std::int64_t depth, const ColumnBlocks& blocks, const ColumnBlocks& last,
                         PackCache& packs);

}  // namespace edgelab::kernels::tile_gemm
