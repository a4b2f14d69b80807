#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "data/image.hpp"

namespace edgelab::data {

// Decodes a PNG or JPEG file as 8-bit RGB: grey becomes three equal channels, an alpha channel is dropped, of 16 bits the
// upper 8 are kept, CMYK is turned into RGB without a colour profile. The header's extents are held against the limits below
// and against the file's length before anything is allocated or decoded. Throws Error: environment if the file can't be
// read, data if it isn't a sound image; damage that other programs only warn of is refused too, so that no half of an image
// is scored as a whole one.
Image read_image_file(const std::filesystem::path& path);

// The same of bytes in memory; `name` is what errors call them.
Image decode_image(std::span<const std::uint8_t> bytes, const std::string& name);

inline constexpr int kMaxImageSide = 16384;               // pixels
inline constexpr std::int64_t kMaxImagePixels = 64'000'000;  // 192 MB decoded

}  // namespace edgelab::data
