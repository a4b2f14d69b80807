#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/aligned.hpp"
#include "kernels/attention/problem.hpp"
#include "kernels/tile_gemm/tile_gemm.hpp"

// How flash attention is cut up, and the products it is made of; for the forward and the backward pass.
namespace edgelab::kernels::flash {

// Memory of one member, cut into aligned blocks one after the other.
class ScratchLayout {
 public:
  std::size_t take(std::size_t bytes) {
    const std::size_t at = size_;
    size_ += aligned(bytes);
    return at;
  }
  std::size_t size() const { return size_; }

 private:
  std::size_t size_ = 0;
};

// Scores are made a tile at a time: `rows` queries by `keys` keys. A band of queries goes through the keys together, so that
// a block of keys and values is fetched into L2 once a band and not once a tile.
struct Tiling {
  std::int64_t rows = 0, band = 0, keys = 0;
  bool one_pass(std::int64_t tokens) const { return keys >= tokens; }
};

Tiling tiling_of(const AttentionProblem& problem);

inline std::int64_t blocks_of(std::int64_t total, std::int64_t block) { return (total + block - 1) / block; }
// The size of block `index`: all are whole but for the last.
inline std::int64_t block_size(std::int64_t total, std::int64_t block, std::int64_t index) {
  const std::int64_t left = total - index * block;
  return left < block ? left : block;
}

// One product for whole blocks and for what is left at the end, of its rows, of its columns, of both. `n` or `k` may be the
// one that is cut into blocks.
class ProductSet {
 public:
  struct Sizes {
    std::int64_t whole = 0, rest = 0;  // rest 0: there is none
    static Sizes of(std::int64_t total, std::int64_t block) { return {total < block ? 0 : block, total % block}; }
  };
  // settings.m and the size that `sized` points at are filled in.
  void make(const tile_gemm::Settings& settings, Sizes m, std::int64_t tile_gemm::Settings::*sized, Sizes size);

  const tile_gemm::Kernel& of(std::int64_t m, std::int64_t size) const { return kernels_[m == m_.whole ? 0 : 1][size == size_.whole ? 0 : 1]; }
  // For packing B, which does not depend on M.
  const tile_gemm::Kernel& any(std::int64_t size) const { return of(m_.whole != 0 ? m_.whole : m_.rest, size); }
  std::size_t packed_bytes() const { return packed_bytes_; }    // the largest
  std::size_t scratch_bytes() const { return scratch_bytes_; }  // the largest

 private:
  Sizes m_, size_;
  tile_gemm::Kernel kernels_[2][2];
  std::size_t packed_bytes_ = 0, scratch_bytes_ = 0;
};

}  // namespace edgelab::kernels::flash
