#pragma once

#include <array>
#include <cstdint>

// Rows of the gradients of a 3×3 depthwise convolution with padding 1, channels last, any number of channels, on this thread.
// (By the input at stride 1 the gradient is a depthwise convolution itself, its taps turned: conv2d/depthwise_row.hpp.)
namespace edgelab::kernels {

// Two rows of the input's gradient at stride 2, i and i + 1 of an even i:
//   dx[r, c] = Σ over the outputs that read it of dy · weight
struct DepthwiseDataRows {
  std::array<const float*, 2> dy{};  // output rows i / 2 and i / 2 + 1, the second null if there is none
  std::int64_t outputs = 0;          // pixels of an output row
  std::int64_t channels = 0;
  const float* weights = nullptr;  // [9, channels]
  std::array<float*, 2> dx{};      // [width, channels]; the second null if x ends before it
  std::int64_t width = 0;
  bool past_cache = false;         // as in DepthwiseRow
  const float *ahead = nullptr, *ahead_end = nullptr;
};
void depthwise_data_rows(const DepthwiseDataRows& rows);

// Adds what one output row contributes to the weight's gradient:
//   sums[3u + v, c] += Σ_j x[u][j·stride + v − 1, c] · dy[j, c]
struct DepthwiseWeightsRow {
  std::array<const float*, 3> x{};  // rows of the input, null outside the image
  std::int64_t width = 0;           // of the input
  int stride = 1;                   // 1 or 2
  const float* dy = nullptr;
  std::int64_t outputs = 0;
  std::int64_t channels = 0;
  float* sums = nullptr;  // [9, channels]
  const float *ahead = nullptr, *ahead_end = nullptr;        // of x, as in DepthwiseRow
  const float *dy_ahead = nullptr, *dy_ahead_end = nullptr;  // and of dy
};
void depthwise_weights_row(const DepthwiseWeightsRow& row);

}  // namespace edgelab::kernels
