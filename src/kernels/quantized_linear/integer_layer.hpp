#pragma once

#include <optional>
#include <string>
#include <vector>

#include "kernels/activation/activation.hpp"
#include "kernels/pack_cache.hpp"
#include "kernels/tile_gemm/column_blocks.hpp"
#include "kernels/u8_grid.hpp"

namespace edgelab::kernels {

struct IntegerLayerSettings {
  std::int64_t k = 0, n = 0;
  U8Grid x;
  int weight_bits = 8;
  ActivationKind activation = ActivationKind::none;  // or gelu, relu
  std::vector<U8Grid> y;                             // one for each equal part of N; none: y is f32
  bool residual = false;                             // f32, y too
};

// The product of a quantized layer, on tile_gemm, a block of up to 64 output channels at a time:
//   y [rows, n] = activation((x − zero point) [rows, k] · weightᵀ + bias) + residual
// The weight is packed once. One of 4 bits stays packed two numbers to a byte; each block is unpacked on its way into the cache,
// once for a band of rows.
class IntegerLayer {
 public:
  IntegerLayer() = default;
  IntegerLayer(const IntegerLayerSettings& settings, const std::vector<std::int64_t>& heights, const Machine& machine);

  std::int64_t blocks() const { return parts() * product_.blocks(); }
  std::size_t scratch_bytes() const;
  std::string detail() const { return std::string(product_.implementation()) + (four_bits() ? " u8×s4" : " u8×s8"); }

  struct Packed {
    Tensor weight, offset, factor;
    std::size_t bytes() const { return weight.bytes() + offset.bytes() + factor.bytes(); }
  };
  // `weight` s8 [n, k], `scale` f32 [n], `bias` f32 [n] or undefined.
  Packed pack(const Tensor& weight, const Tensor& scale, const Tensor& bias, PackCache& packs) const;

  // Of some rows: all begin with the first of them.
  struct Rows {
    std::int64_t count = 0;
    const std::uint8_t* x = nullptr;   // [count, k]
    const float* residual = nullptr;   // [count, n]
    std::byte* y = nullptr;            // [count, n]
    std::byte* scratch = nullptr;      // scratch_bytes(), kAlignment-aligned
  };
  void run(std::int64_t block, const Packed& packed, const Rows& rows) const;
  void run(const Packed& packed, const Rows& rows) const {
    for (std::int64_t block = 0; block < blocks(); ++block) run(block, packed, rows);
  }

 private:
  bool four_bits() const { return settings_.weight_bits == 4; }
  std::int64_t parts() const { return std::max<std::int64_t>(1, static_cast<std::int64_t>(settings_.y.size())); }
  std::int64_t part_columns() const { return settings_.n / parts(); }
  // A packed block, its elements two to a byte if they have four bits.
  std::size_t stored_block_bytes() const {
    return four_bits() ? product_.element_bytes(0) / 2 + product_.reckoned_bytes(0) : product_.block_bytes();
  }
  Tensor pack_weight(const Tensor& weight) const;

  IntegerLayerSettings settings_;
  tile_gemm::ColumnBlocks product_;  // of one part
  std::vector<tile_gemm::Requantize> grids_;
};

}  // namespace edgelab::kernels
