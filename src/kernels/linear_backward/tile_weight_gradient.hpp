#pragma once

#include <string>

#include "core/thread_team.hpp"
#include "kernels/tile_gemm/column_blocks.hpp"
#include "kernels/tile_gemm/simd.hpp"
#include "kernels/tile_gemm/tiled_product.hpp"

// The weight's gradient of a linear layer by the team on tile_gemm.
namespace edgelab::kernels {

struct TileWeightGradientSettings {
  std::int64_t rows = 0, k = 0, n = 0;  // x [rows, k], dy [rows, n]
  DType x = DType::f32;                 // f32, or bf16 if compute is
  DType compute = DType::f32;           // of the product's operands: f32 or bf16
};

// dw [n, k] = dyᵀ · x, and db [n] = Σ_rows dy
//
// The sum goes over the rows, of which training has thousands where dw has hundreds. So dw is cut into pieces that stay in L2
// while all rows go by, a slice of 256 at a time: the slice of dy is gathered, that of x packed, their product added to
// the piece. Members take whole pieces. What is gathered or packed again for each piece is a few percent of the product; and a
// sum does not depend on how many members there are.
class TileWeightGradient {
 public:
  TileWeightGradient(const TileWeightGradientSettings& settings, int threads, const Machine& machine);

  std::size_t scratch_bytes() const { return member_bytes_ * static_cast<std::size_t>(threads_); }
  std::string detail() const { return tile_gemm::describe(products_[0][0].implementation(), settings_.compute, machine_); }

  struct Memory {
    const std::byte* x = nullptr;
    const float* dy = nullptr;
    float *dw = nullptr, *db = nullptr;  // db null without a bias
    std::byte* scratch = nullptr;        // scratch_bytes(), kAlignment-aligned
  };
  void run(const Member& member, const Memory& memory) const;

 private:
  // Rows first … first + count of x and dy, to be multiplied for one piece of dw.
  struct Slice {
    std::int64_t first, count;
    std::int64_t row, rows, column, columns;  // of dw
  };
  void add(const Slice& slice, const Memory& memory, std::byte* own) const;
  Member::Part bias_part(std::int64_t row, std::int64_t rows, std::int64_t column) const;
  const void* gather(const Slice& slice, const float* dy, std::byte* own) const;
  void pack(const Slice& slice, const tile_gemm::ColumnBlocks& product, const std::byte* x, std::byte* own) const;

  TileWeightGradientSettings settings_;
  int threads_;
  const Machine& machine_;
  tile_gemm::SimdTarget simd_;
  tile_gemm::Blocks rows_, columns_, depths_;     // of dw's pieces and of the slices
  tile_gemm::ColumnBlocks products_[2][2];        // [last columns][last slice]
  std::int64_t gathered_ld_ = 0;                  // words from one row of gathered dy, or one pair of rows, to the next
  bool turns_ = false;                            // gathered dy is turned: [rows of dw, slice], as matrix units read it
  std::int64_t turned_ld_ = 0;                    // words: pairs of the slice's rows
  std::size_t turned_at_ = 0, packed_at_ = 0, rounded_at_ = 0, gemm_at_ = 0, member_bytes_ = 0;  // behind gathered dy
};

}  // namespace edgelab::kernels
