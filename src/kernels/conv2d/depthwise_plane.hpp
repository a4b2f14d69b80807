#pragma once

#include <cstdint>

namespace edgelab::kernels {

// How the pixels of a channel lie one behind the other for a 3×3 depthwise convolution with padding 1 that goes along them, so
// that vectors need no edges: a zero stands behind each row, and before the first. Where the stride is 2, a row is its even
// columns, a zero, its odd columns, and one more zero if these are fewer: so what neighbouring outputs read is neighbours.
struct PlaneLayout {
  std::int64_t width = 0;
  int stride = 1;  // 1 or 2

  std::int64_t width_out() const { return (width - 1) / stride + 1; }
  std::int64_t pitch() const { return stride == 1 ? width + 1 : 2 * width_out() + 1; }  // from row to row
  std::int64_t odd() const { return width_out() + 1; }                                   // stride 2: the first odd column
  // From one output row to the next; where the stride is 1, a number of no meaning stands behind each.
  std::int64_t pitch_out() const { return stride == 1 ? width + 1 : width_out(); }
};

// Some output rows of one channel, with relu6:
//   out[i, j] = relu6(bias + Σ_{u,v} x[i·stride + u, j·stride + v − 1] · weights[3u + v])
struct DepthwisePlane {
  PlaneLayout layout;
  const float* x = nullptr;  // the row above the first output's; those outside the image are zero
  std::int64_t rows = 0;     // of the output
  const float* weights = nullptr;  // [9]
  float bias = 0.0f;
  float* out = nullptr;
};

// Up to so many floats behind the last one are read of x, and written of out.
inline constexpr std::int64_t kPlaneSlack = 16;

void depthwise_plane(const DepthwisePlane& plane);

}  // namespace edgelab::kernels
