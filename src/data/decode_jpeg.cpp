#include <turbojpeg.h>

#include <algorithm>
#include <memory>
#include <new>
#include <vector>

#include "data/image.hpp"
#include "data/image_decoders.hpp"

namespace edgelab::data {
namespace {

// Huffman coding spends at least one bit on each block of 8 x 8 pixels. Arithmetic coding could spend less on a large image
// of one colour; such a file is refused with the others.
constexpr std::int64_t kPixelsPerByte = 8 * 64;

using Decompressor = std::unique_ptr<void, decltype(&tjDestroy)>;

// Adobe's files hold the inks inverted, and all that are met are Adobe's: 255 is no ink.
void cmyk_to_rgb(const std::vector<std::uint8_t>& inks, std::vector<std::uint8_t>& pixels) {
  for (std::size_t i = 0; i < inks.size() / 4; ++i) {
    for (std::size_t c = 0; c < kChannels; ++c) {
      pixels[i * kChannels + c] = static_cast<std::uint8_t>((inks[i * 4 + c] * inks[i * 4 + 3] + 127) / 255);
    }
  }
}

void decompress(const EncodedImage& image, tjhandle decompressor, int format, const DecodedImage& decoded,
                std::vector<std::uint8_t>& pixels) {
  pixels.resize(static_cast<std::size_t>(decoded.width) * static_cast<std::size_t>(decoded.height) *
                static_cast<std::size_t>(tjPixelSize[format]));
  // LIMITSCANS: a progressive file of thousands of scans would keep the decoder at work for hours. What the library calls
  // a warning (data that end early, codes that can't be) ends as an error too.
  if (tjDecompress2(decompressor, image.bytes.data(), image.bytes.size(), pixels.data(), decoded.width, 0,
                    decoded.height, format, TJFLAG_ACCURATEDCT | TJFLAG_LIMITSCANS) != 0) {
    throw not_an_image(image, tjGetErrorStr2(decompressor));
  }
}

}  // namespace

DecodedImage decode_jpeg(const EncodedImage& image) {
  const Decompressor decompressor(tjInitDecompress(), &tjDestroy);
  if (decompressor == nullptr) throw std::bad_alloc();
  DecodedImage decoded;
  int subsampling = 0, colours = 0;
  if (tjDecompressHeader3(decompressor.get(), image.bytes.data(), image.bytes.size(), &decoded.width, &decoded.height,
                          &subsampling, &colours) != 0) {
    throw not_an_image(image, tjGetErrorStr2(decompressor.get()));
  }
  check_extents(image, decoded.width, decoded.height, kPixelsPerByte);
  if (colours != TJCS_CMYK && colours != TJCS_YCCK) {
    decompress(image, decompressor.get(), TJPF_RGB, decoded, decoded.pixels);
    return decoded;
  }
  std::vector<std::uint8_t> inks;
  decompress(image, decompressor.get(), TJPF_CMYK, decoded, inks);
  decoded.pixels.resize(inks.size() / 4 * kChannels);
  cmyk_to_rgb(inks, decoded.pixels);
  return decoded;
}

}  // namespace edgelab::data
