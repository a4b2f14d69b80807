#pragma once

#include "kernels/cuda/tiles/numbers.hpp"

// Kernels in which a thread computes one element of the output and needs no other thread: compute(arguments, i) for every i below
// count(arguments).
namespace edgelab::kernels::cuda {

EDGELAB_HOST_DEVICE inline std::int64_t count(const DirectConvolutionArguments& p) { return p.samples * p.out_height * p.out_width * p.outputs; }
// Neighbours have the same pixels and neighbouring weights.
EDGELAB_HOST_DEVICE inline void compute(const DirectConvolutionArguments& p, std::int64_t i) {
  const std::int64_t o = i % p.outputs, pixel = i / p.outputs, column = pixel % p.out_width, row = pixel / p.out_width % p.out_height,
                     n = pixel / (p.out_width * p.out_height);
  const std::int64_t group_channels = p.channels / p.groups, first = o / (p.outputs / p.groups) * group_channels;
  float sum = p.bias != nullptr ? p.bias[o] : 0.0f;
  for (std::int64_t c = 0; c < group_channels; ++c) {
    for (std::int64_t u = 0; u < p.kernel_height; ++u) {
      const std::int64_t y = row * p.stride + u - p.padding;
      if (y < 0 || y >= p.height) continue;
      for (std::int64_t v = 0; v < p.kernel_width; ++v) {
        const std::int64_t x = column * p.stride + v - p.padding;
        if (x < 0 || x >= p.width) continue;
        const std::int64_t at = p.planes ? ((n * p.channels + first + c) * p.height + y) * p.width + x
                                         : ((n * p.height + y) * p.width + x) * p.channels + first + c;
        sum += p.x[at] * p.w[((c * p.kernel_height + u) * p.kernel_width + v) * p.outputs + o];
      }
    }
  }
  p.y[i] = activated(p.activation, sum) + (p.residual != nullptr ? p.residual[i] : 0.0f);
}

EDGELAB_HOST_DEVICE inline std::int64_t count(const DepthwiseArguments& p) { return p.samples * p.out_height * p.out_width * p.channels; }
// Neighbours have neighbouring channels, so that loads of a warp are whole lines.
EDGELAB_HOST_DEVICE inline void compute(const DepthwiseArguments& p, std::int64_t i) {
  const std::int64_t c = i % p.channels, pixel = i / p.channels, column = pixel % p.out_width, row = pixel / p.out_width % p.out_height,
                     n = pixel / (p.out_width * p.out_height);
  float sum = p.bias != nullptr ? p.bias[c] : 0.0f;
  for (int u = 0; u < p.kernel; ++u) {
    const std::int64_t y = row * p.stride + u - p.padding;
    if (y < 0 || y >= p.height) continue;
    for (int v = 0; v < p.kernel; ++v) {
      const std::int64_t x = column * p.stride + v - p.padding;
      if (x < 0 || x >= p.width) continue;
      sum += p.x[((n * p.height + y) * p.width + x) * p.channels + c] * p.w[(u * p.kernel + v) * p.channels + c];
    }
  }
  p.y[i] = activated(p.activation, sum) + (p.residual != nullptr ? p.residual[i] : 0.0f);
}

EDGELAB_HOST_DEVICE inline std::int64_t count(const ElementwiseArguments& p) { return p.elements; }
EDGELAB_HOST_DEVICE inline void compute(const ElementwiseArguments& p, std::int64_t i) {
  float value = load(p.a, i);
  const std::int64_t j = i / p.b_step % p.b_elements;
  if (p.b != nullptr) value = p.multiply ? value * p.b[j] : value + p.b[j];
  if (p.c != nullptr) value += p.c[j];
  store(p.y, i, activated(p.activation, value));
}

EDGELAB_HOST_DEVICE inline std::int64_t count(const PatchRowsArguments& p) {
  return p.samples * (p.height / p.patch) * (p.width / p.patch) * p.channels * p.patch * p.patch;
}
EDGELAB_HOST_DEVICE inline void compute(const PatchRowsArguments& p, std::int64_t i) {
  const std::int64_t v = i % p.patch, u = i / p.patch % p.patch, c = i / (p.patch * p.patch) % p.channels, row = i / (p.patch * p.patch * p.channels);
  const std::int64_t across = p.width / p.patch, down = p.height / p.patch;
  const std::int64_t x = row % across * p.patch + v, y = row / across % down * p.patch + u, n = row / (across * down);
  store(p.y, i, p.x[((n * p.channels + c) * p.height + y) * p.width + x]);
}

EDGELAB_HOST_DEVICE inline void copy_element(int bytes, void* y, std::int64_t to, const void* x, std::int64_t from) {
  if (bytes == 4) {
    static_cast<std::uint32_t*>(y)[to] = static_cast<const std::uint32_t*>(x)[from];
  } else {
    static_cast<std::uint16_t*>(y)[to] = static_cast<const std::uint16_t*>(x)[from];
  }
}

EDGELAB_HOST_DEVICE inline std::int64_t count(const RowCopyArguments& p) { return p.outer * p.inner; }
EDGELAB_HOST_DEVICE inline void compute(const RowCopyArguments& p, std::int64_t i) {
  copy_element(p.bytes, p.y, i / p.inner * p.y_stride + i % p.inner, p.x, i / p.inner * p.x_stride + i % p.inner);
}

EDGELAB_HOST_DEVICE inline std::int64_t count(const TransposeArguments& p) { return p.batch * p.rows * p.columns; }
EDGELAB_HOST_DEVICE inline void compute(const TransposeArguments& p, std::int64_t i) {
  const std::int64_t row = i % p.rows, column = i / p.rows % p.columns, b = i / (p.rows * p.columns);
  copy_element(p.bytes, p.y, i, p.x, (b * p.rows + row) * p.columns + column);
}

EDGELAB_HOST_DEVICE inline std::int64_t count(const AveragePoolArguments& p) { return p.samples * p.channels; }
EDGELAB_HOST_DEVICE inline void compute(const AveragePoolArguments& p, std::int64_t i) {
  const std::int64_t n = i / p.channels, c = i % p.channels;
  float sum = 0.0f;
  for (std::int64_t pixel = 0; pixel < p.pixels; ++pixel) sum += p.x[(n * p.pixels + pixel) * p.channels + c];
  p.y[i] = sum / static_cast<float>(p.pixels);
}

}  // namespace edgelab::kernels::cuda
