#include "kernels/quantized_conv2d/byte_product.hpp"

#include <algorithm>

#include "kernels/quantized_conv2d/quantized_conv2d.hpp"

namespace edgelab::kernels {

tile_gemm::Requantize ByteGrids::requantize() const {
  if (!y) return {};
  tile_gemm::Requantize bounds = bounds_of(*y, activation);
  if (!residual) return bounds;
  bounds.residual_zero_point = residual->zero_point;
  bounds.residual_scale = static_cast<float>(static_cast<double>(residual->scale) / static_cast<double>(y->scale));
  return bounds;
}

tile_gemm::Settings byte_settings(std::int64_t m, std::int64_t n, std::int64_t k, std::int64_t ldc, const ByteGrids& grids) {
  tile_gemm::Settings settings;
  settings.m = m, settings.n = n, settings.k = settings.lda = k, settings.ldc = ldc;
  settings.a = DType::u8, settings.b = DType::s8, settings.c = grids.y ? DType::u8 : DType::f32;
  settings.epilogue.scale = tile_gemm::Scale::per_column;
  settings.epilogue.offset = true;
  settings.epilogue.residual = grids.residual.has_value();
  settings.epilogue.residual_type = DType::u8;
  settings.epilogue.residual_ld = grids.residual ? n : 0;
  if (!grids.y) settings.epilogue.activation = static_cast<tile_gemm::Activation>(grids.activation);
  return settings;
}

void BytePack::fill(tile_gemm::Arguments& arguments) const {
  arguments.packed_b = weight.data();
  arguments.offset = offset.as<std::int32_t>().data();
  arguments.scale = factor.as<float>().data();
  arguments.requantize = requantize;
}

BytePack pack_bytes(const tile_gemm::TiledProduct& product, const ByteGrids& grids, const Tensor& weight, const Tensor& scale, const Tensor& bias, PackCache& packs) {
  const IntegerTables tables = integer_tables(grids.x, scale, bias, {grids.y ? grids.y->scale : 1.0F});
  const std::vector<std::int32_t> sums = row_sums(weight);
  const auto n = static_cast<std::int64_t>(sums.size());
  BytePack pack{product.pack(packs, weight), Tensor(DType::s32, {n}), Tensor(DType::f32, {n}), grids.requantize()};
  for (std::size_t o = 0; o < sums.size(); ++o) pack.offset.as<std::int32_t>()[o] = tables.bias[o] - grids.x.zero_point * sums[o];
  std::copy(tables.factor.begin(), tables.factor.end(), pack.factor.as<float>().begin());
  return pack;
}

}  // namespace edgelab::kernels
