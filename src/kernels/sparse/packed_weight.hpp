#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/tensor.hpp"
#include "kernels/pack_cache.hpp"

// Products with weights most of whose numbers are zero, after E. Elsen et al., "Fast Sparse ConvNets", CVPR 2020: only what is
// not zero is kept and multiplied, and vectors go along pixels (or rows), so that any pattern of zeros will do.
namespace edgelab::kernels::sparse {

// A weight [N, K] without its zeros. Output rows go in blocks of one or four that share a list of columns: four read each pixel
// once for four sums, and pay where pruning took blocks of outputs (1×4, 1×16). The list then holds the columns of which any of
// the four is not zero.
class PackedWeight {
 public:
  PackedWeight() = default;
  // The rows of weight [N, K] or [N, K, 1, 1], in blocks of what is the cheaper.
  PackedWeight(const Tensor& weight, PackCache& packs);

  std::int64_t rows() const { return rows_; }
  std::int64_t block() const { return block_; }  // 1 or 4
  std::int64_t blocks() const { return (rows_ + block_ - 1) / block_; }
  std::size_t bytes() const { return memory_.bytes(); }

  // What block b multiplies: entries begin(b) … begin(b + 1) − 1, each a column and `block` values.
  const std::int32_t* begins() const { return begins_; }
  const std::int32_t* columns() const { return columns_; }
  const float* values() const { return values_; }

 private:
  Tensor memory_;  // begins, columns, values
  std::int64_t rows_ = 0, block_ = 1;
  const std::int32_t *begins_ = nullptr, *columns_ = nullptr;
  const float* values_ = nullptr;
};

// Shares of zeros from which the sparse kernels are the faster ones (bench_sparse; docs/kernels.md has the table): of single rows,
// and where rows go in fours. The exact point depends on the shape: where a plan measures, it tries both from here on.
inline constexpr double kBreakEven = 0.7, kBreakEvenOfFours = 0.5;

// How many numbers of a layer's weights are zero, and how many must be to pay.
struct Zeros {
  double zeros = 0.0, enough = 0.0, all = 0.0;
  Zeros& operator+=(const Zeros& other);
  double share() const { return all == 0.0 ? 0.0 : zeros / all; }
};
Zeros zeros_of(const Tensor& weight);

// "dense: 62 % zeros, break-even 70 %" where that many zeros don't pay; nothing where they do.
std::optional<std::string> too_dense(const Zeros& zeros);

}  // namespace edgelab::kernels::sparse
