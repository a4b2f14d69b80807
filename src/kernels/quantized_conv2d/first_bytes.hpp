#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/aligned.hpp"
#include "kernels/quantized_conv2d/byte_product.hpp"

namespace edgelab::kernels {

// A network's first convolution in integers: from plain f32 images of up to four channels to channels last, row by row.
//
// A row of the image is brought to the grid with its channels beside each other, four bytes a pixel, so that the KW pixels that a
// row of the kernel reads are one row of A, 4·KW bytes, and KH such products make a row of the output.
class FirstBytes {
 public:
  struct Size {
    std::int64_t channels = 0, height = 0, width = 0, channels_out = 0, kernel_height = 0, kernel_width = 0;
    int stride = 1, padding = 0;

    std::int64_t height_out() const { return (height + 2 * padding - kernel_height) / stride + 1; }
    std::int64_t width_out() const { return (width + 2 * padding - kernel_width) / stride + 1; }
  };
  static constexpr std::int64_t kMostChannels = 4;

  FirstBytes() = default;
  // out_pixel: elements from one output pixel to the next.
  FirstBytes(const Size& size, std::int64_t out_pixel, const ByteGrids& grids, const Machine& machine);

  std::string_view implementation() const { return product_.implementation(); }
  std::size_t scratch_bytes() const { return lines_bytes() + product_.scratch_bytes(); }
  // `weight`: s8 [O, C, KH, KW]
  BytePack pack(const Tensor& weight, const Tensor& scale, const Tensor& bias, PackCache& packs) const;
  // Output row i of one image; C as tile_gemm has it.
  void row(const float* image, std::int64_t i, const BytePack& pack, std::byte* scratch, void* c) const;

 private:
  std::int64_t line() const { return 4 * (size_.width + 2 * size_.padding); }  // bytes
  std::size_t lines_bytes() const { return aligned(static_cast<std::size_t>(size_.kernel_height * line())); }

  Size size_;
  ByteGrids grids_;
  tile_gemm::TiledProduct product_;
};

}  // namespace edgelab::kernels
