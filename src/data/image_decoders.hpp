#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"

// Between image_file.cpp and the decoders of the formats, which hold the only code that sees libpng and libjpeg-turbo.
namespace edgelab::data {

// The bytes of an image file, and the name that errors call it by.
struct EncodedImage {
  std::span<const std::uint8_t> bytes;
  std::string name;
};

// 8-bit RGB, interleaved: [height, width, 3].
struct DecodedImage {
  int height = 0;
  int width = 0;
  std::vector<std::uint8_t> pixels;
};

// Throw Error (data). They allocate no more than check_extents() lets through.
DecodedImage decode_png(const EncodedImage& image);
DecodedImage decode_jpeg(const EncodedImage& image);

Error not_an_image(const EncodedImage& image, std::string_view reason);

// Throws Error (data) if the header's extents go beyond kMaxImageSide or kMaxImagePixels, or if so many pixels can't be in
// a file of this length: no byte of it can stand for more than `pixels_per_byte`.
void check_extents(const EncodedImage& image, std::int64_t width, std::int64_t height, std::int64_t pixels_per_byte);

}  // namespace edgelab::data
