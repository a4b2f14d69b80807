#include "kernels/conv2d/first_convolution.hpp"

#include <algorithm>
#include <cstring>

namespace edgelab::kernels {

FirstConvolution::FirstConvolution(const Size& size, std::int64_t out_pixel, const tile_gemm::Epilogue& epilogue, const Machine& machine)
    : size_(size) {
  tile_gemm::Settings settings;
  settings.m = size.width_out(), settings.n = size.channels_out, settings.k = size.kernel_width;
  settings.lda = size.stride, settings.ldc = out_pixel;
  settings.batch = lines(), settings.a_step = line();
  settings.epilogue = epilogue;
  tiles_ = tile_gemm::TiledProduct(settings, settings.m, settings.n, machine);
}

void FirstConvolution::clear(std::byte* scratch) const { std::memset(scratch, 0, copied_bytes()); }

void FirstConvolution::copy_lines(const float* image, std::int64_t i, std::byte* scratch) const {
  const std::int64_t first = i * size_.stride - size_.padding;
  auto* to = reinterpret_cast<float*>(scratch) + size_.padding;
  for (std::int64_t l = 0; l < lines(); ++l, to += line()) {
    const std::int64_t channel = l / size_.kernel_height, from = first + l % size_.kernel_height;
    if (from >= 0 && from < size_.height) {
      std::memcpy(to, image + (channel * size_.height + from) * size_.width, static_cast<std::size_t>(size_.width) * sizeof(float));
    } else {
      std::fill_n(to, size_.width, 0.0f);
    }
  }
}

void FirstConvolution::row(const float* image, std::int64_t i, std::byte* scratch, tile_gemm::Arguments arguments) const {
  copy_lines(image, i, scratch);
  arguments.a = scratch;
  arguments.scratch = scratch + copied_bytes();
  tiles_.run(0, 0, arguments);
}

}  // namespace edgelab::kernels
