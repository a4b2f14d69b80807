#include "kernels/quantized_conv2d/first_bytes.hpp"

#include <cstring>

#include "kernels/quantize/byte_rows.hpp"

namespace edgelab::kernels {

FirstBytes::FirstBytes(const Size& size, std::int64_t out_pixel, const ByteGrids& grids, const Machine& machine) : size_(size), grids_(grids) {
  tile_gemm::Settings settings = byte_settings(size.width_out(), size.channels_out, 4 * size.kernel_width, out_pixel, grids);
  settings.lda = 4 * size.stride;
  settings.batch = size.kernel_height, settings.a_step = line();
  product_ = tile_gemm::TiledProduct(settings, settings.m, settings.n, machine);
}

BytePack FirstBytes::pack(const Tensor& weight, const Tensor& scale, const Tensor& bias, PackCache& packs) const {
  Tensor beside(DType::s8, {size_.channels_out, size_.kernel_height * size_.kernel_width * 4});
  const std::int64_t taps = size_.kernel_height * size_.kernel_width;
  for (std::int64_t o = 0; o < size_.channels_out; ++o) {
    for (std::int64_t c = 0; c < size_.channels; ++c) {
      for (std::int64_t tap = 0; tap < taps; ++tap) {
        beside.as<std::int8_t>()[static_cast<std::size_t>((o * taps + tap) * 4 + c)] = weight.as<std::int8_t>()[static_cast<std::size_t>((o * size_.channels + c) * taps + tap)];
      }
    }
  }
  return pack_bytes(product_, grids_, beside, scale, bias, packs);
}

void FirstBytes::row(const float* image, std::int64_t i, const BytePack& pack, std::byte* scratch, void* c) const {
  auto* to = reinterpret_cast<std::uint8_t*>(scratch);
  const auto whole = static_cast<std::size_t>(line()), edge = static_cast<std::size_t>(4 * size_.padding);
  for (std::int64_t u = 0; u < size_.kernel_height; ++u, to += line()) {
    const std::int64_t from = i * size_.stride + u - size_.padding;
    const bool inside = from >= 0 && from < size_.height;
    if (!inside) {
      std::memset(to, grids_.x.zero_point, whole);
      continue;
    }
    std::memset(to, grids_.x.zero_point, edge);
    std::memset(to + whole - edge, grids_.x.zero_point, edge);
    quantize_pixels(image + from * size_.width, size_.height * size_.width, size_.channels, size_.width, grids_.x, to + edge);
  }
  tile_gemm::Arguments arguments;
  pack.fill(arguments);
  arguments.a = scratch;
  arguments.c = c;
  arguments.scratch = scratch + lines_bytes();
  product_.run(0, 0, arguments);
}

}  // namespace edgelab::kernels
