#include "results/report/bitmap.hpp"

#include <cstddef>
#include <vector>

#include "results/json/encoding.hpp"

namespace edgelab::results::report {
namespace {

constexpr std::size_t kHeadBytes = 54, kChannels = 3;

void put(std::vector<std::byte>& bytes, std::size_t at, std::size_t size, std::size_t value) {
  for (std::size_t i = 0; i < size; ++i) bytes[at + i] = static_cast<std::byte>(value >> (8 * i));
}

}  // namespace

std::string bitmap_uri(std::span<const std::uint8_t> pixels, int height, int width) {
  if (height <= 0 || width <= 0) return "";
  const auto rows = static_cast<std::size_t>(height), columns = static_cast<std::size_t>(width);
  if (pixels.size() != rows * columns * kChannels) return "";
  const std::size_t stride = (columns * kChannels + 3) / 4 * 4;  // rows are padded to words
  std::vector<std::byte> bytes(kHeadBytes + rows * stride);
  bytes[0] = std::byte{'B'};
  bytes[1] = std::byte{'M'};
  put(bytes, 2, 4, bytes.size());
  put(bytes, 10, 4, kHeadBytes);
  put(bytes, 14, 4, 40);  // BITMAPINFOHEADER
  put(bytes, 18, 4, columns);
  put(bytes, 22, 4, rows);
  put(bytes, 26, 2, 1);   // planes
  put(bytes, 28, 2, 24);  // bits a pixel
  put(bytes, 34, 4, rows * stride);
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t column = 0; column < columns; ++column) {
      const std::uint8_t* pixel = &pixels[(row * columns + column) * kChannels];
      std::byte* to =
          &bytes[kHeadBytes + (rows - 1 - row) * stride + column * kChannels];  // the lowest row comes first
      for (std::size_t channel = 0; channel < kChannels; ++channel)
        to[channel] = std::byte{pixel[kChannels - 1 - channel]};
    }
  }
  return "data:image/bmp;base64," + base64_of(bytes);
}

}  // namespace edgelab::results::report
