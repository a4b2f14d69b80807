#include "data/image_file.hpp"

#include <fmt/format.h>

#include <memory>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "core/file.hpp"

// The only place that sees stb's code. Its file functions stay out: it decodes from memory that we have bounded.
#define STB_IMAGE_STATIC
#define STB_IMAGE_IMPLEMENTATION
#define STBI_NO_STDIO
#define STBI_ONLY_PNG
#define STBI_ONLY_JPEG
#define STBI_FAILURE_USERMSG
#define STBI_MAX_DIMENSIONS 16384
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#include <stb/stb_image.h>
#pragma GCC diagnostic pop

namespace edgelab::data {
namespace {

static_assert(kMaxImageSide == STBI_MAX_DIMENSIONS);
constexpr std::uint64_t kMaxFileBytes = 256u << 20;

Error not_an_image(const std::filesystem::path& path, const char* reason) {
  return Error(ErrorKind::data, fmt::format("the image can't be decoded: {}", reason ? reason : "unknown format"))
      .at({path.string()})
      .expected("a sound PNG or JPEG file")
      .hint("replace the file, or take it out of the data set");
}

void check_header(const std::filesystem::path& path, const std::vector<std::uint8_t>& bytes) {
  int width = 0, height = 0, channels = 0;
  if (stbi_info_from_memory(bytes.data(), static_cast<int>(bytes.size()), &width, &height, &channels) == 0) {
    throw not_an_image(path, stbi_failure_reason());
  }
  const bool sides = width > 0 && height > 0 && width <= kMaxImageSide && height <= kMaxImageSide;
  if (!sides || static_cast<long long>(width) * height > kMaxImagePixels) {
    throw Error(ErrorKind::data, "the image is too large")
        .at({path.string()})
        .got(fmt::format("{} x {} pixels", width, height))
        .expected(fmt::format("at most {} pixels a side and {} in all", kMaxImageSide, kMaxImagePixels))
        .hint("make it smaller first");
  }
}

}  // namespace

Image read_image_file(const std::filesystem::path& path) {
  const std::vector<std::uint8_t> bytes = read_file(path, kMaxFileBytes);
  check_header(path, bytes);
  int width = 0, height = 0, channels = 0;
  const std::unique_ptr<stbi_uc, decltype(&stbi_image_free)> decoded(
      stbi_load_from_memory(bytes.data(), static_cast<int>(bytes.size()), &width, &height, &channels, kChannels),
      &stbi_image_free);
  if (decoded == nullptr) throw not_an_image(path, stbi_failure_reason());

  const std::size_t plane = static_cast<std::size_t>(width) * static_cast<std::size_t>(height);
  auto planar = std::make_shared<std::vector<std::uint8_t>>(kChannels * plane);
  for (std::size_t i = 0; i < plane; ++i) {
    for (std::size_t c = 0; c < kChannels; ++c) (*planar)[c * plane + i] = decoded.get()[i * kChannels + c];
  }
  return {height, width, *planar, planar};
}

}  // namespace edgelab::data
