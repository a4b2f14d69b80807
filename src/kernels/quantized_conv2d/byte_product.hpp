#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "kernels/activation/activation.hpp"
#include "kernels/pack_cache.hpp"
#include "kernels/quantized_linear/integer_tables.hpp"
#include "kernels/tile_gemm/tiled_product.hpp"
#include "kernels/u8_grid.hpp"

namespace edgelab::kernels {

// The grids around a product of bytes.
struct ByteGrids {
  U8Grid x;
  std::optional<U8Grid> y, residual;
  ActivationKind activation = ActivationKind::none;

  tile_gemm::Requantize requantize() const;
};

// What TiledProduct is asked for: u8 · s8, to u8 or f32.
tile_gemm::Settings byte_settings(std::int64_t m, std::int64_t n, std::int64_t k, std::int64_t ldc, const ByteGrids& grids);

// A weight packed for it, and what stands between its sums and y.
struct BytePack {
  Tensor weight, offset, factor;  // packed; s32 [N], f32 [N]
  tile_gemm::Requantize requantize;

  std::size_t bytes() const { return weight.bytes() + offset.bytes() + factor.bytes(); }
  // `arguments` with these; the rest is filled in.
  void fill(tile_gemm::Arguments& arguments) const;
};

// `weight`: s8 [N, K·batch, …], `scale` and `bias`: f32 [N].
BytePack pack_bytes(const tile_gemm::TiledProduct& product, const ByteGrids& grids, const Tensor& weight, const Tensor& scale, const Tensor& bias, PackCache& packs);

}  // namespace edgelab::kernels
