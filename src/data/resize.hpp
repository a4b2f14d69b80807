#pragma once

#include <cstdint>
#include <vector>

namespace edgelab::data {

enum class Interpolation { bilinear, bicubic };

// One axis of a separable resize with antialiasing, as PyTorch's interpolate(…, antialias=True) on float tensors, which
// torchvision's resize calls: pixel centres at half, the filter widened by the scale when making smaller (never when
// making larger), weights normalised; triangle filter, or Keys's cubic with a = -0.5 (Keys 1981; without antialiasing
// PyTorch uses -0.75).
//
// output[o] = sum over t < taps of weights[o * taps + t] * input[first[o] + t]; all indices are inside the input. Rows
// with fewer taps (at the edges) are filled up with weights of 0.
struct ResizeAxis {
  int input = 0, output = 0;  // pixels
  int taps = 0;
  std::vector<int> first;      // [output]
  std::vector<float> weights;  // [output, taps]
};

// Both extents must be at least 1.
ResizeAxis make_resize_axis(int input, int output, Interpolation interpolation);

}  // namespace edgelab::data
