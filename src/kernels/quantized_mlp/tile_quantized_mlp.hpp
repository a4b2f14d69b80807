#pragma once

#include <string>

#include "core/thread_team.hpp"
#include "kernels/quantized_linear/integer_layer.hpp"
#include "kernels/quantized_mlp/quantized_mlp.hpp"

namespace edgelab::kernels {

// QuantizedMlp by the team on tile_gemm.
//
// Many rows: each member takes its own, a band at a time. The band is normalised onto its grid, and all of its hidden layer made
// from that: as bytes it takes no more of L2 than a chunk of it does in f32, so that it needs no chunks.
//
// Few rows: each member takes some of the hidden units, and after a barrier some columns of y.
class TileQuantizedMlp {
 public:
  struct Shape {
    std::int64_t rows = 0, width = 0, hidden = 0;
  };
  TileQuantizedMlp(const QuantizedMlp& settings, const Shape& shape, int threads, const Machine& machine);

  const IntegerLayer& up() const { return up_; }
  const IntegerLayer& down() const { return down_; }
  std::size_t scratch_bytes() const { return shared_bytes_ + member_bytes_ * static_cast<std::size_t>(threads_); }

  struct Weights {
    IntegerLayer::Packed up, down;
  };
  struct Memory {
    const float *x = nullptr, *gain = nullptr, *shift = nullptr;
    const Weights* weights = nullptr;
    float* y = nullptr;
    std::byte* scratch = nullptr;
  };
  void run(const Member& member, const Memory& memory) const;

 private:
  IntegerLayer::Rows up_rows(std::int64_t first, std::int64_t count, const Memory& memory, std::byte* own, std::byte* hidden) const;
  IntegerLayer::Rows down_rows(std::int64_t first, std::int64_t count, const Memory& memory, std::byte* own, std::byte* hidden) const;

  QuantizedMlp settings_;
  Shape shape_;
  int threads_;
  bool by_columns_;
  tile_gemm::Bands bands_;
  IntegerLayer up_, down_;
  std::size_t shared_bytes_ = 0;                                        // by columns: the hidden layer
  std::size_t normal_bytes_ = 0, hidden_bytes_ = 0, member_bytes_ = 0;  // of one member
};

}  // namespace edgelab::kernels
