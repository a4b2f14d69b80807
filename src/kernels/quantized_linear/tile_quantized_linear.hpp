#pragma once

#include "core/thread_team.hpp"
#include "kernels/quantized_linear/integer_layer.hpp"
#include "kernels/quantized_linear/quantized_linear.hpp"

namespace edgelab::kernels {

// QuantizedLinear by the team, as TileLinear is: each member takes its rows, a band at a time, normalised and brought onto the grid
// into a buffer that stays in cache, and the weight's blocks go past it once. Few rows: each member takes blocks of columns.
class TileQuantizedLinear {
 public:
  TileQuantizedLinear(const QuantizedLinear& settings, DType x, std::int64_t rows, std::int64_t k, std::int64_t n, int threads, const Machine& machine);

  const IntegerLayer& layer() const { return layer_; }
  std::size_t scratch_bytes() const { return member_bytes_ * static_cast<std::size_t>(threads_); }

  struct Memory {
    const std::byte* x = nullptr;
    const float *gain = nullptr, *shift = nullptr;  // [k], of the normalisation
    const IntegerLayer::Packed* weight = nullptr;
    const float* residual = nullptr;
    std::byte* y = nullptr;
    std::byte* scratch = nullptr;  // scratch_bytes(), kAlignment-aligned
  };
  void run(const Member& member, const Memory& memory) const;

 private:
  IntegerLayer::Rows rows_of(std::int64_t first, std::int64_t count, const Memory& memory, std::byte* own) const;

  QuantizedLinear settings_;
  DType x_type_;
  std::int64_t rows_, k_, n_;
  int threads_;
  bool by_columns_;
  tile_gemm::Bands bands_;
  IntegerLayer layer_;
  std::size_t buffer_bytes_ = 0, member_bytes_ = 0;
};

// Rows of f32 on their way into a product of integers: normalised, if there is a gain, and brought onto the grid.
void quantize_band(const float* x, const float* gain, const float* shift, double epsilon, const U8Grid& grid, std::int64_t rows, std::int64_t width,
                   std::uint8_t* to);

}  // namespace edgelab::kernels
