#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/aligned.hpp"
#include "kernels/tile_gemm/tiled_product.hpp"

namespace edgelab::kernels {

// A network's first convolution: from plain images of a few channels [C, H, W] to channels last, row by row, in f32.
//
// A row is one product. Its operand is the image itself: the KH rows of each channel, one behind the other and with the padding
// around them, are C·KH matrices whose rows, one an output pixel, begin `stride` elements apart and overlap. Only these few KB
// are copied, not the KH·KW-fold of im2col.
class FirstConvolution {
 public:
  struct Size {
    std::int64_t channels = 0, height = 0, width = 0, channels_out = 0, kernel_height = 0, kernel_width = 0;
    int stride = 1, padding = 0;

    std::int64_t height_out() const { return (height + 2 * padding - kernel_height) / stride + 1; }
    std::int64_t width_out() const { return (width + 2 * padding - kernel_width) / stride + 1; }
  };
  // More channels than this are better read channels last.
  static constexpr std::int64_t kMostChannels = 4;

  FirstConvolution() = default;
  // out_pixel: floats from one output pixel to the next. No residual.
  FirstConvolution(const Size& size, std::int64_t out_pixel, const tile_gemm::Epilogue& epilogue, const Machine& machine);

  const tile_gemm::TiledProduct& tiles() const { return tiles_; }
  std::size_t scratch_bytes() const { return copied_bytes() + tiles_.scratch_bytes(); }

  // Before the first row(), and again if the scratch was used otherwise since.
  void clear(std::byte* scratch) const;
  // The lines that output row i reads, one behind the other, each with the padding around it.
  void copy_lines(const float* image, std::int64_t i, std::byte* scratch) const;
  // arguments.packed_b by tiles().pack(), bias and C as tile_gemm has them; the rest is filled in.
  void row(const float* image, std::int64_t i, std::byte* scratch, tile_gemm::Arguments arguments) const;

  std::int64_t lines() const { return size_.channels * size_.kernel_height; }
  std::int64_t line() const { return size_.width + 2 * size_.padding; }  // floats of one

 private:
  std::size_t copied_bytes() const { return aligned(static_cast<std::size_t>(lines() * line()) * sizeof(float)); }

  Size size_;
  tile_gemm::TiledProduct tiles_;
};

}  // namespace edgelab::kernels
