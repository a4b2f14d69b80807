#include "data/preprocess.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.hpp"

namespace edgelab::data {
namespace {

// Rows that the horizontal pass takes at once. It turns them into columns of kLanes values, so that its inner loop runs
// along a vector instead of gathering neighbours: 16 floats are one AVX-512 or four NEON registers.
constexpr int kLanes = 16;

// Axes kept at most; an image folder of as many sizes computes them anew.
constexpr std::size_t kMaxAxes = 256;

// pixels [rows, width] → columns [width, kLanes], value * scale + shift. Lanes beyond `rows` are zero.
void load_columns(const std::uint8_t* pixels, int rows, int width, float scale, float shift, float* columns) {
  if (rows < kLanes) std::fill_n(columns, static_cast<std::size_t>(width) * kLanes, 0.0f);
  for (int row = 0; row < rows; ++row) {
    const std::uint8_t* from = pixels + static_cast<std::size_t>(row) * static_cast<std::size_t>(width);
    for (int x = 0; x < width; ++x) columns[x * kLanes + row] = static_cast<float>(from[x]) * scale + shift;
  }
}

// columns [input, kLanes] → output [rows, axis.output]
void resize_columns(const ResizeAxis& axis, const float* columns, int rows, float* output) {
  const float* weights = axis.weights.data();
  for (int o = 0; o < axis.output; ++o, weights += axis.taps) {
    float sum[kLanes] = {};
    const float* from = columns + static_cast<std::ptrdiff_t>(axis.first[static_cast<std::size_t>(o)]) * kLanes;
    for (int t = 0; t < axis.taps; ++t, from += kLanes) {
      const float weight = weights[t];
      for (int lane = 0; lane < kLanes; ++lane) sum[lane] += weight * from[lane];
    }
    for (int row = 0; row < rows; ++row) output[static_cast<std::ptrdiff_t>(row) * axis.output + o] = sum[row];
  }
}

// rows [axis.input, width] → output [axis.output, width]. `rows` and `output` don't overlap.
void resize_rows(const ResizeAxis& axis, const float* __restrict rows, int width, float* __restrict output) {
  const float* weights = axis.weights.data();
  for (int o = 0; o < axis.output; ++o, weights += axis.taps, output += width) {
    const float* from = rows + static_cast<std::ptrdiff_t>(axis.first[static_cast<std::size_t>(o)]) * width;
    for (int x = 0; x < width; ++x) output[x] = weights[0] * from[x];
    for (int t = 1; t < axis.taps; ++t) {
      const float weight = weights[t];
      const float* row = from + static_cast<std::ptrdiff_t>(t) * width;
      for (int x = 0; x < width; ++x) output[x] += weight * row[x];
    }
  }
}

}  // namespace

Preprocessor::Preprocessor(const PreprocessOptions& options) : options_(options) {
  if (options.size < 1 || options.size > kMaxInputSize) {
    throw Error(ErrorKind::usage, "the input size is out of range")
        .got(fmt::format("{} pixels", options.size))
        .expected(fmt::format("1 to {}", kMaxInputSize));
  }
}

const ResizeAxis& Preprocessor::axis_for(int input) {
  if (const auto known = axes_.find(input); known != axes_.end()) return known->second;
  return axes_.emplace(input, make_resize_axis(input, options_.size, options_.interpolation)).first->second;
}

// The weights of an axis sum to 1, so that scale and shift may be applied before the resize, where pixels are fewer.
void Preprocessor::operator()(const Image& image, std::span<float> output) {
  const auto size = static_cast<std::size_t>(options_.size);
  const std::size_t plane = static_cast<std::size_t>(image.height) * static_cast<std::size_t>(image.width);
  if (output.size() != kChannels * size * size || image.pixels.size() != kChannels * plane || plane == 0) {
    throw Error(ErrorKind::usage, "preprocessing got memory of the wrong size")
        .got(fmt::format("{} bytes of image and {} floats of output", image.pixels.size(), output.size()))
        .expected(fmt::format("{} and {}", kChannels * plane, kChannels * size * size));
  }
  if (axes_.size() >= kMaxAxes) axes_.clear();
  const ResizeAxis& horizontal = axis_for(image.width);
  const ResizeAxis& vertical = axis_for(image.height);
  columns_.resize(static_cast<std::size_t>(image.width) * kLanes);
  rows_.resize(static_cast<std::size_t>(image.height) * size);

  for (std::size_t c = 0; c < kChannels; ++c) {
    const float scale = 1.0f / (255.0f * options_.std[c]), shift = -options_.mean[c] / options_.std[c];
    for (int y = 0; y < image.height; y += kLanes) {
      const int rows = std::min(kLanes, image.height - y);
      const std::size_t row = static_cast<std::size_t>(y);
      load_columns(image.pixels.data() + c * plane + row * static_cast<std::size_t>(image.width), rows, image.width,
                   scale, shift, columns_.data());
      resize_columns(horizontal, columns_.data(), rows, rows_.data() + row * size);
    }
    resize_rows(vertical, rows_.data(), options_.size, output.data() + c * size * size);
  }
}

}  // namespace edgelab::data
