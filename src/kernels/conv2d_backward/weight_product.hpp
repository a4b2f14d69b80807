#pragma once

#include "kernels/chunks.hpp"
#include "kernels/tile_gemm/tiled_product.hpp"

namespace edgelab::kernels {

// The gradient of a 1×1 convolution by its weight, channels last, by the team: dw [outputs, inputs] = dyᵀ [pixels, outputs] · x
// [pixels, inputs], both as they lie. The pixels are cut into blocks whose operands stay in L2, the blocks dealt out in one chunk
// a thread of the plan, each with sums of its own that are added at the end.
class WeightProduct {
 public:
  // compute bf16: operands are rounded to it and multiplied in f32, which is exact.
  WeightProduct(std::int64_t pixels, std::int64_t outputs, std::int64_t inputs, DType compute, int threads, const Machine& machine);

  std::string_view implementation() const { return full_.implementation(); }
  std::size_t scratch_bytes() const { return static_cast<std::size_t>(chunks_.count) * (sums_bytes() + own_bytes()); }
  void run(const Member& member, const float* x, const float* dy, float* dw, std::byte* scratch) const;

 private:
  // The wider operand is packed, a row of it a vector of columns; the narrower one is read from where it lies.
  bool by_inputs() const { return inputs_ >= outputs_; }
  std::int64_t rows() const { return by_inputs() ? outputs_ : inputs_; }
  std::int64_t columns() const { return by_inputs() ? inputs_ : outputs_; }
  std::size_t sums_bytes() const;
  std::size_t own_bytes() const;
  void add_block(std::int64_t block, const float* narrow, const float* wide, float* sums, std::byte* own) const;

  std::int64_t outputs_, inputs_;
  bool rounds_;
  tile_gemm::Blocks blocks_;  // of pixels
  Chunks chunks_;             // of blocks
  tile_gemm::TiledProduct full_, last_;
};

}  // namespace edgelab::kernels
