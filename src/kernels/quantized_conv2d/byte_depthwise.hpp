#pragma once

#include <array>
#include <cstdint>

#include "core/tensor.hpp"
#include "kernels/quantized_linear/integer_tables.hpp"
#include "kernels/tile_gemm/requantize.hpp"

namespace edgelab::kernels {

// Of a depthwise 3×3 convolution in integers, as the instruction set of this machine reads it: its channels in blocks, one behind
// the other, each with its weights, offsets and factors. Any block boundary is a place where a row may begin.
struct ByteDepthwiseWeights {
  Tensor bytes;
  std::int64_t channels = 0;

  static std::int64_t block();  // channels
};

// `weight` s8 [channels, 1, 3, 3]; the tables' bias does not yet hold the zero point.
ByteDepthwiseWeights pack_byte_depthwise(const Tensor& weight, const IntegerTables& tables, std::int32_t zero_point);

// One output row, channels last, padding 1 (docs/kernels.md):
//   out[j, c] = to_u8(f32(bias[c] + Σ_{u,v} (rows[u][j·stride + v − 1, c] − zero point) · w[c, u, v]) · factor[c])
struct ByteDepthwiseRow {
  std::array<const std::uint8_t*, 3> rows{};  // of the input, at column 0; null for a row outside the image
  std::int64_t pixel = 0;                     // bytes from one input pixel to the next
  std::int64_t width = 0;                     // of the input
  int stride = 1;                             // 1 or 2
  std::int64_t channels = 0;
  const std::uint8_t* outside = nullptr;      // a pixel of zero points: `channels` bytes, up to a whole block
  const ByteDepthwiseWeights* weights = nullptr;
  std::int64_t first = 0;                     // the weights' channel of the rows' first; a multiple of block()
  tile_gemm::Requantize grid;
  std::uint8_t* out = nullptr;
  std::int64_t out_pixel = 0;
};

void byte_depthwise_row(const ByteDepthwiseRow& row);

}  // namespace edgelab::kernels
