#include "data/image_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "core/file.hpp"
#include "data/image_decoders.hpp"

namespace edgelab::data {
namespace {

constexpr std::uint64_t kMaxFileBytes = 256u << 20;

constexpr std::array<std::uint8_t, 8> kPngBegin = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
constexpr std::array<std::uint8_t, 3> kJpegBegin = {0xFF, 0xD8, 0xFF};

bool begins_with(std::span<const std::uint8_t> bytes, std::span<const std::uint8_t> begin) {
  return bytes.size() >= begin.size() && std::equal(begin.begin(), begin.end(), bytes.begin());
}

// By what the file holds: a wrong extension is common and does no harm.
DecodedImage decode(const EncodedImage& image) {
  if (begins_with(image.bytes, kPngBegin)) return decode_png(image);
  if (begins_with(image.bytes, kJpegBegin)) return decode_jpeg(image);
  throw not_an_image(image, "unknown format");
}

}  // namespace

Error not_an_image(const EncodedImage& image, std::string_view reason) {
  return Error(ErrorKind::data, fmt::format("the image can't be decoded: {}", reason))
      .at({image.name})
      .expected("a sound PNG or JPEG file")
      .hint("replace the file, or take it out of the data set");
}

void check_extents(const EncodedImage& image, std::int64_t width, std::int64_t height, std::int64_t pixels_per_byte) {
  if (width <= 0 || height <= 0) throw not_an_image(image, "it has no pixels");
  if (width > kMaxImageSide || height > kMaxImageSide || width * height > kMaxImagePixels) {
    throw Error(ErrorKind::data, "the image is too large")
        .at({image.name})
        .got(fmt::format("{} x {} pixels", width, height))
        .expected(fmt::format("at most {} pixels a side and {} in all", kMaxImageSide, kMaxImagePixels))
        .hint("make it smaller first");
  }
  if (width * height / pixels_per_byte > static_cast<std::int64_t>(image.bytes.size())) {
    throw not_an_image(image, fmt::format("{} x {} pixels can't be in a file of {} bytes", width, height,
                                          image.bytes.size()));
  }
}

Image decode_image(std::span<const std::uint8_t> bytes, const std::string& name) {
  const DecodedImage decoded = decode({bytes, name});
  const std::size_t plane = decoded.pixels.size() / kChannels;
  auto planar = std::make_shared<std::vector<std::uint8_t>>(decoded.pixels.size());
  for (std::size_t i = 0; i < plane; ++i) {
    for (std::size_t c = 0; c < kChannels; ++c) (*planar)[c * plane + i] = decoded.pixels[i * kChannels + c];
  }
  return {decoded.height, decoded.width, *planar, planar};
}

Image read_image_file(const std::filesystem::path& path) {
  return decode_image(read_file(path, kMaxFileBytes), path.string());
}

}  // namespace edgelab::data
