#pragma once

#include <gtest/gtest.h>
#include <png.h>
#include <turbojpeg.h>

#include <cstdint>
#include <filesystem>
#include <vector>

#include "data/sample_files.hpp"

namespace edgelab::data::test {

// Pixels are [height, width, channels]; 1 channel is grey, 3 RGB, 4 RGB and alpha.
inline void write_png(const std::filesystem::path& path, int width, int height, int channels,
                      const std::vector<std::uint8_t>& pixels) {
  std::filesystem::create_directories(path.parent_path());
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(width);
  image.height = static_cast<png_uint_32>(height);
  image.format = channels == 1 ? PNG_FORMAT_GRAY : channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_RGBA;
  ASSERT_NE(png_image_write_to_file(&image, path.c_str(), 0, pixels.data(), 0, nullptr), 0) << image.message;
}

// `format` is TurboJPEG's: TJPF_GRAY, TJPF_RGB, TJPF_CMYK (255 is no ink).
inline void write_jpeg(const std::filesystem::path& path, int width, int height, int format,
                       const std::vector<std::uint8_t>& pixels, int flags = 0) {
  const tjhandle compressor = tjInitCompress();
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
  const int subsampling = format == TJPF_GRAY ? TJSAMP_GRAY : TJSAMP_444;
  const int failed =
      tjCompress2(compressor, pixels.data(), width, 0, height, format, &bytes, &size, subsampling, 95, flags);
  EXPECT_EQ(failed, 0) << tjGetErrorStr2(compressor);
  write_bytes(path, {bytes, bytes + size});
  tjFree(bytes);
  tjDestroy(compressor);
}

}  // namespace edgelab::data::test
