#pragma once

#include <algorithm>
#include <cstdint>

// What the blocks in floats and in integers have in common: their sizes, and the two ways to run one.
namespace edgelab::kernels::inverted_residual {

// Expanded rows that are kept in the rows mode: those that one output row reads.
constexpr std::int64_t kRing = 3;

enum class Mode : std::uint8_t {
  // Each member takes output rows. Three expanded rows at a time are kept, in L2; a depthwise row is projected while it is in
  // L1 or L2. Members that meet in an image expand one or two rows there twice.
  rows,
  // Each member takes images, or half of the hidden channels of one image: some channels at a time are expanded for all
  // pixels and filtered while they are in L2, then the projection follows for all hidden channels together. For small
  // images, whose rows would make tiles too low.
  channels
};

// height × width is the size of e, which is that of x unless a first convolution expands; x has `image` elements an image.
struct Dimensions {
  std::int64_t batch = 0, height = 0, width = 0, height_out = 0, width_out = 0, image = 0;
  std::int64_t channels = 0, hidden = 0, channels_out = 0;
  int stride = 1;
  bool expand = true, residual = false;

  std::int64_t pixels() const { return height * width; }
  std::int64_t pixels_out() const { return height_out * width_out; }
};

// The rows mode's order for output rows [begin, end) of an image: expand(r) for each row of e that is read, and filter_and_project(i)
// as soon as the three that output row i reads are there, while they all are.
template <class Expand, class Finish>
void each_row(const Dimensions& size, std::int64_t begin, std::int64_t end, Expand expand, Finish filter_and_project) {
  std::int64_t next = std::max<std::int64_t>(0, begin * size.stride - 1);
  for (std::int64_t i = begin; i < end; ++i) {
    const std::int64_t last = std::min(size.height - 1, i * size.stride + 1);
    for (; size.expand && next <= last; ++next) expand(next);
    filter_and_project(i);
  }
}

}  // namespace edgelab::kernels::inverted_residual
