#pragma once

#include <cstdint>
#include <string_view>

#include "core/tensor.hpp"
#include "kernels/pack_cache.hpp"
#include "kernels/tile_gemm/tile_gemm.hpp"

namespace edgelab::kernels::tile_gemm {

// [0, total) in blocks of `size`; the last may be shorter.
struct Blocks {
  std::int64_t total = 0, size = 1;

  std::int64_t count() const { return (total + size - 1) / size; }
  std::int64_t begin(std::int64_t block) const { return block * size; }
  std::int64_t extent(std::int64_t block) const { return block * size + size <= total ? size : total - block * size; }
};

// Highway's kernel rather than the microkernel of oneDNN, against the order of choose(), but for bf16 that Highway's would
// multiply in f32: at the small K of convolutions it is up to half again as fast (docs/kernels.md has the table), nowhere
// more than 2 % slower.
Choice choose_for_layers(const Settings& settings, const Machine& machine);

// Blocks of a whole number of `grain`s so that `parts` parts are as equal as can be.
Blocks equal_blocks(std::int64_t total, std::int64_t parts, std::int64_t grain = 1);

// A product cut into blocks of rows and of columns, any of which may run at any time on any thread. B is a weight [N, K·batch]
// of f32, or of s8 for integers (one output a row, as layers have it), packed once, its columns block by block. Kernels as choose_for_layers has it.
class TiledProduct {
 public:
  TiledProduct() = default;
  // `whole` has M and N of the whole product. Throws what tile_gemm::check throws.
  TiledProduct(const Settings& whole, std::int64_t block_rows, std::int64_t block_columns, const Machine& machine);

  const Blocks& rows() const { return rows_; }
  const Blocks& columns() const { return columns_; }
  std::string_view implementation() const { return implementation_; }
  std::size_t scratch_bytes() const { return scratch_bytes_; }

  // From the cache, or made now. For operands of bf16 the weight is rounded to nearest even.
  Tensor pack(PackCache& packs, const Tensor& weight) const;

  // The same where B is known at run time only, block by block of its columns: B lies as [K·batch, N] or transposed, in the
  // operands' own type. Any block at any time on any thread.
  std::size_t packed_bytes() const { return block_bytes() * static_cast<std::size_t>(columns_.count() - 1) + last_block_bytes(); }
  void pack(const PlainB& b, std::int64_t block, std::byte* packed) const noexcept;

  // One block. A, C and the residual are the block's own first elements; packed B (of pack()), bias, scale and offset the whole's.
  void run(std::int64_t row_block, std::int64_t column_block, const Arguments& arguments) const noexcept;

 private:
  std::size_t block_bytes() const { return kernel(false, columns_.count() == 1).packed_bytes() * static_cast<std::size_t>(whole_.batch); }
  std::size_t last_block_bytes() const { return kernel(false, true).packed_bytes() * static_cast<std::size_t>(whole_.batch); }
  const Kernel& kernel(bool last_rows, bool last_columns) const { return kernels_[last_rows ? 1 : 0][last_columns ? 1 : 0]; }

  Settings whole_;
  Blocks rows_, columns_;
  Kernel kernels_[2][2];  // [last rows][last columns]
  std::string_view implementation_;
  std::size_t scratch_bytes_ = 0;
};

// f32 → bf16, to nearest even.
Tensor rounded_to_bf16(const Tensor& values);

// "bf16 emulated: no avx512_bf16" where products of that type have no instructions here, else nothing.
std::string_view emulation(DType operands, std::string_view implementation, const Machine& machine);

}  // namespace edgelab::kernels::tile_gemm
