#pragma once

#include <filesystem>

#include "data/image.hpp"

namespace edgelab::data {

// Decodes a PNG or JPEG file as 8-bit RGB: grey becomes three equal channels, an alpha channel is dropped. The header's
// extents are checked before anything is decoded. Throws Error: environment if the file can't be read, data if it isn't
// a sound image of at most kMaxImageSide pixels a side.
Image read_image_file(const std::filesystem::path& path);

inline constexpr int kMaxImageSide = 16384;               // pixels
inline constexpr long long kMaxImagePixels = 64'000'000;  // 192 MB decoded

}  // namespace edgelab::data
