#pragma once

#include <array>
#include <cstdint>

#include "core/dtype.hpp"
#include "core/tensor.hpp"
#include "kernels/activation/activation.hpp"
#include "kernels/pack_cache.hpp"

namespace edgelab::kernels {

// One output row of a 3×3 depthwise convolution with padding 1, channels last, any number of channels:
//   out[j, c] = activation(bias[c] + Σ_{u,v} rows[u][j·stride + v − 1, c] · weights[3u + v, c])
struct DepthwiseRow {
  std::array<const float*, 3> rows{};  // of the input, at column 0; null for a row outside the image
  std::int64_t pixel = 0;              // floats from one input pixel to the next
  std::int64_t width = 0;              // of the input
  int stride = 1;                      // 1 or 2
  std::int64_t channels = 0;
  const float* weights = nullptr;      // [9, weights_ld]
  std::int64_t weights_ld = 0;
  const float* bias = nullptr;
  ActivationKind activation = ActivationKind::none;
  void* out = nullptr;
  DType out_type = DType::f32;         // or bf16, rounded to nearest even; not with gelu
  std::int64_t out_pixel = 0;          // elements from one output pixel to the next
  bool past_cache = false;             // the results are so many that they had better not displace what the caches hold
  // What the next call will read and this one does not: brought near meanwhile, since a row is walked a vector of channels at a
  // time, an order that processors do not follow by themselves. Null: nothing.
  const float *ahead = nullptr, *ahead_end = nullptr;
};

void depthwise_row(const DepthwiseRow& row);

constexpr std::int64_t depthwise_extent(std::int64_t extent, int stride) { return (extent - 1) / stride + 1; }

// The rows above, at and below output row i of an image whose rows are `row_floats` apart.
std::array<const float*, 3> depthwise_rows(const float* image, std::int64_t height, std::int64_t row_floats, std::int64_t i, int stride);

// Lets a call for row i look ahead to the rows that the one for i + 1 adds, or to the next image; `end`: of all images.
void look_ahead(DepthwiseRow& row, const float* image, std::int64_t height, std::int64_t row_floats, std::int64_t i, const float* end);

// Channels begin … end - 1 of a weight [channels, 1, 3, 3] into [9, channels]; turned: the taps from the last to the first, as the
// gradient by the input has them.
void pack_depthwise(const float* weight, std::int64_t channels, std::int64_t begin, std::int64_t end, bool turned, float* to);
// The whole of a constant weight, from the cache or now.
Tensor pack_depthwise(PackCache& packs, const Tensor& weight);

}  // namespace edgelab::kernels
