#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace edgelab::results::report {

// A picture as a data: URI that any browser shows: an uncompressed BMP, 24 bits a pixel. `pixels` is [height, width, 3], red
// first. Empty if the extents are not those of the pixels.
std::string bitmap_uri(std::span<const std::uint8_t> pixels, int height, int width);

}  // namespace edgelab::results::report
