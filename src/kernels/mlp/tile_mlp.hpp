#pragma once

#include <string>

#include "core/thread_team.hpp"
#include "kernels/mlp/mlp.hpp"
#include "kernels/tile_gemm/column_blocks.hpp"

namespace edgelab::kernels {

// Mlp by the team on tile_gemm.
//
// Many rows: each member takes its own, a band at a time. The band is normalised into a buffer, and y begins as x + the last
// bias. Then the hidden units go by in chunks: up, 64 columns at a time with the activation while they are in L1, then down,
// added to y. Band, chunk and y stay in L2, and nothing of the hidden layer reaches memory.
//
// Few rows (what the heads need of the last block): each member takes some of the hidden units, and after a barrier some
// columns of y, so that the weights are read once by all together.
class TileMlp {
 public:
  struct Shape {
    std::int64_t rows = 0, width = 0, hidden = 0;
  };
  // chunk: hidden units at a time, a multiple of 64; most: rows of a band. 0: what kernels of these shapes ran best with.
  TileMlp(const Mlp& settings, const Shape& shape, int threads, const Machine& machine, std::int64_t chunk = 0, std::int64_t most = 0);

  std::size_t scratch_bytes() const { return shared_bytes_ + member_bytes_ * static_cast<std::size_t>(threads_); }
  std::string detail() const { return tile_gemm::describe(up_.implementation(), settings_.compute, machine_); }

  struct Weights {
    tile_gemm::PackedWeight up, down;
    std::size_t bytes() const { return up.bytes.bytes() + down.bytes.bytes(); }
  };
  Weights pack(const Tensor& up, const Tensor& down, PackCache& packs) const;

  struct Memory {
    const float *x = nullptr, *gain = nullptr, *shift = nullptr, *up_bias = nullptr, *down_bias = nullptr;
    const Weights* weights = nullptr;
    float* y = nullptr;
    std::byte* scratch = nullptr;
  };
  void run(const Member& member, const Memory& memory) const;

 private:
  std::int64_t chunks() const { return (shape_.hidden + chunk_ - 1) / chunk_; }
  void begin(std::int64_t first, std::int64_t count, const Memory& memory, std::byte* normal, bool begin_y) const;
  void up(std::int64_t count, std::int64_t block, const Memory& memory, const std::byte* normal, std::byte* hidden, std::byte* scratch) const;
  void down(std::int64_t count, std::int64_t piece, std::int64_t block, const Memory& memory, const std::byte* hidden, float* y, std::byte* scratch) const;
  void run_band(std::int64_t first, std::int64_t count, const Memory& memory, std::byte* own) const;
  void run_by_columns(const Member& member, const Memory& memory, std::byte* own) const;

  Mlp settings_;
  Shape shape_;
  int threads_;
  const Machine& machine_;
  bool by_columns_;
  std::int64_t chunk_;
  tile_gemm::Bands bands_;
  tile_gemm::ColumnBlocks up_, down_, down_last_;
  std::size_t shared_bytes_ = 0;                                        // by columns: the whole hidden layer
  std::size_t normal_bytes_ = 0, hidden_bytes_ = 0, member_bytes_ = 0;  // of one member
};

}  // namespace edgelab::kernels
