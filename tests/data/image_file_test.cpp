#include "data/image_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "core/file.hpp"
#include "data/expect_error.hpp"
#include "data/sample_files.hpp"
#include "data/write_image.hpp"
#include "support/temporary_directory.hpp"

namespace edgelab::data {
namespace {

using edgelab::test::TemporaryDirectory;
using test::message_of;
using test::write_jpeg;
using test::write_png;
using testing::AllOf;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::uint64_t kAny = 1 << 20;

// A smooth picture, which JPEG keeps nearly as it is: [height, width, 3].
std::vector<std::uint8_t> gradient(int width, int height) {
  std::vector<std::uint8_t> pixels;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x)
      pixels.insert(pixels.end(), {static_cast<std::uint8_t>(4 * x), static_cast<std::uint8_t>(5 * y), 128});
  }
  return pixels;
}

std::string refusal_of(const std::vector<std::uint8_t>& bytes) {
  return message_of(ErrorKind::data, [&] { decode_image(bytes, "broken"); });
}

TEST(ImageFile, GivesAPngsPixelsExactlyAndPlanar) {
  const TemporaryDirectory folder;
  write_png(folder / "i.png", 2, 1, 3, {10, 20, 30, 40, 50, 60});
  EXPECT_THAT(read_image_file(folder / "i.png").pixels, ElementsAre(10, 40, 20, 50, 30, 60));
}

TEST(ImageFile, MakesGreyThreeEqualChannels) {
  const TemporaryDirectory folder;
  write_png(folder / "grey.png", 1, 1, 1, {77});
  EXPECT_THAT(read_image_file(folder / "grey.png").pixels, ElementsAre(77, 77, 77));
  write_jpeg(folder / "grey.jpg", 8, 8, TJPF_GRAY, std::vector<std::uint8_t>(64, 77));
  const Image image = read_image_file(folder / "grey.jpg");
  EXPECT_EQ(image.pixels.size(), 192u);
  EXPECT_THAT(image.pixels, Each(77));
}

TEST(ImageFile, DropsTheAlphaChannel) {
  const TemporaryDirectory folder;
  write_png(folder / "alpha.png", 1, 1, 4, {5, 6, 7, 128});
  EXPECT_THAT(read_image_file(folder / "alpha.png").pixels, ElementsAre(5, 6, 7));
}

TEST(ImageFile, DecodesJpegSequentialAndProgressive) {
  const TemporaryDirectory folder;
  const std::vector<std::uint8_t> pixels = gradient(40, 30);
  for (const int flags : {0, TJFLAG_PROGRESSIVE}) {
    write_jpeg(folder / "i.jpg", 40, 30, TJPF_RGB, pixels, flags);
    const Image image = read_image_file(folder / "i.jpg");
    ASSERT_EQ(image.pixels.size(), pixels.size());
    for (std::size_t i = 0; i < pixels.size(); ++i)
      EXPECT_NEAR(image.pixels[i % 3 * 1200 + i / 3], pixels[i], 3) << "element " << i << " with flags " << flags;
  }
}

TEST(ImageFile, TurnsCmykIntoRgb) {
  const TemporaryDirectory folder;
  std::vector<std::uint8_t> inks;
  for (int i = 0; i < 64; ++i) inks.insert(inks.end(), {200, 100, 50, 128});
  write_jpeg(folder / "cmyk.jpg", 8, 8, TJPF_CMYK, inks);
  const Image image = read_image_file(folder / "cmyk.jpg");
  ASSERT_EQ(image.pixels.size(), 192u);
  EXPECT_NEAR(image.pixels[0], 200 * 128 / 255, 2);
  EXPECT_NEAR(image.pixels[64], 100 * 128 / 255, 2);
  EXPECT_NEAR(image.pixels[128], 50 * 128 / 255, 2);
}

TEST(ImageFile, GoesByTheContentNotByTheExtension) {
  const TemporaryDirectory folder;
  write_png(folder / "really-a-png.jpg", 1, 1, 3, {1, 2, 3});
  EXPECT_THAT(read_image_file(folder / "really-a-png.jpg").pixels, ElementsAre(1, 2, 3));
}

TEST(ImageFile, RefusesAPngCutAtAnyLength) {
  const TemporaryDirectory folder;
  std::vector<std::uint8_t> noise;
  for (int i = 0; i < 16 * 16 * 3; ++i) noise.push_back(static_cast<std::uint8_t>(i * i * 7));
  write_png(folder / "whole.png", 16, 16, 3, noise);
  const std::vector<std::uint8_t> whole = read_file(folder / "whole.png", kAny);
  ASSERT_GT(whole.size(), 200u);
  // Short of the closing chunk, which nothing needs.
  for (std::size_t size = 0; size < whole.size() - 16; size += 7)
    EXPECT_THAT(refusal_of({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)}), HasSubstr("broken"))
        << size;
}

TEST(ImageFile, RefusesAJpegCutAtAnyLength) {
  const TemporaryDirectory folder;
  write_jpeg(folder / "whole.jpg", 40, 30, TJPF_RGB, gradient(40, 30));
  const std::vector<std::uint8_t> whole = read_file(folder / "whole.jpg", kAny);
  ASSERT_GT(whole.size(), 600u);
  for (std::size_t size = 0; size < whole.size() - 2; size += 7)
    EXPECT_THAT(refusal_of({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)}), HasSubstr("broken"))
        << size;
}

// A PNG whose header claims other extents than its data have, with the header's checksum made to fit.
std::vector<std::uint8_t> png_claiming(int width, int height) {
  const TemporaryDirectory folder;
  write_png(folder / "i.png", 3, 3, 3, std::vector<std::uint8_t>(27, 1));
  std::vector<std::uint8_t> bytes = read_file(folder / "i.png", kAny);
  for (int i = 0; i < 4; ++i) {
    bytes[16 + i] = static_cast<std::uint8_t>(width >> (24 - 8 * i));
    bytes[20 + i] = static_cast<std::uint8_t>(height >> (24 - 8 * i));
  }
  std::uint32_t sum = 0xFFFFFFFF;  // CRC-32 of type and data, 17 bytes
  for (std::size_t i = 12; i < 29; ++i) {
    sum ^= bytes[i];
    for (int bit = 0; bit < 8; ++bit) sum = sum >> 1 ^ (sum & 1 ? 0xEDB88320 : 0);
  }
  for (int i = 0; i < 4; ++i) bytes[29 + i] = static_cast<std::uint8_t>(~sum >> (24 - 8 * i));
  return bytes;
}

TEST(ImageFile, ChecksTheHeadersExtentsBeforeDecoding) {
  EXPECT_THAT(refusal_of(png_claiming(16255, 16255)), AllOf(HasSubstr("too large"), HasSubstr("16255 x 16255")));
  EXPECT_THAT(refusal_of(png_claiming(20000, 1)), HasSubstr("16384"));
}

TEST(ImageFile, AllocatesNoMorePixelsThanTheFileCanHold) {
  EXPECT_THAT(refusal_of(png_claiming(7000, 7000)), HasSubstr("7000 x 7000 pixels can't be in a file of"));
}

TEST(ImageFile, SaysWhichFileIsMissing) {
  EXPECT_THAT(message_of(ErrorKind::environment, [&] { read_image_file("none.png"); }), HasSubstr("none.png"));
}

}  // namespace
}  // namespace edgelab::data
