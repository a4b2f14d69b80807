#include "data/image_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "data/dataset.hpp"
#include "data/expect_error.hpp"
#include "data/image_file.hpp"
#include "data/sample_files.hpp"
#include "support/temporary_directory.hpp"

#define STB_IMAGE_WRITE_STATIC
#define STB_IMAGE_WRITE_IMPLEMENTATION
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#include <stb/stb_image_write.h>
#pragma GCC diagnostic pop

namespace edgelab::data {
namespace {

namespace fs = std::filesystem;
using edgelab::test::TemporaryDirectory;
using test::message_of;
using test::write_bytes;
using test::write_text;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

// Every pixel is (red, 2, 3).
void write_png(const fs::path& path, int width, int height, int red) {
  fs::create_directories(path.parent_path());
  std::vector<std::uint8_t> pixels;
  for (int i = 0; i < width * height; ++i) pixels.insert(pixels.end(), {static_cast<std::uint8_t>(red), 2, 3});
  ASSERT_NE(stbi_write_png(path.c_str(), width, height, 3, pixels.data(), width * 3), 0);
}

TEST(ImageFolder, SortsClassesAndFilesByName) {
  const TemporaryDirectory folder;
  write_png(folder / "test/dog/2.png", 4, 2, 20);
  write_png(folder / "test/dog/1.PNG", 3, 5, 10);
  write_png(folder / "test/cat/z/deep.png", 1, 1, 30);
  write_png(folder / "test/.hidden/no.png", 1, 1, 0);
  write_text(folder / "test/dog/notes.txt", "not an image");
  write_text(folder / "test/cat/.trash.png", "not looked at");
  const Source source = open_image_folder(folder.path(), Split::test);
  EXPECT_THAT(source.class_names, ElementsAre("cat", "dog"));
  EXPECT_THAT(source.labels, ElementsAre(0, 1, 1));
  const Image image = source.image(1);
  EXPECT_EQ(image.width, 3);
  EXPECT_EQ(image.height, 5);
  ASSERT_EQ(image.pixels.size(), 45u);
  EXPECT_EQ(image.pixels[14], 10);
  EXPECT_EQ(image.pixels[15], 2);
  EXPECT_EQ(image.pixels[44], 3);
  EXPECT_EQ(source.image(2).pixels[0], 20);
}

TEST(ImageFolder, TakesAFolderWithoutSplitsForEither) {
  const TemporaryDirectory folder;
  write_png(folder / "a/1.png", 2, 2, 1);
  for (const Split split : {Split::train, Split::test})
    EXPECT_EQ(open_image_folder(folder.path(), split).labels.size(), 1u);
}

TEST(ImageFolder, SaysWhichSplitIsMissing) {
  const TemporaryDirectory folder;
  write_png(folder / "train/a/1.png", 2, 2, 1);
  EXPECT_THAT(message_of(ErrorKind::environment, [&] { open_image_folder(folder.path(), Split::test); }),
              AllOf(HasSubstr("no split 'test'"), HasSubstr("train")));
}

TEST(ImageFolder, RefusesAFolderWithoutClassesAndAClassWithoutImages) {
  const TemporaryDirectory folder;
  EXPECT_THAT(message_of(ErrorKind::data, [&] { open_image_folder(folder.path(), Split::test); }),
              HasSubstr("no classes"));
  write_text(folder / "bird/readme.txt", "");
  EXPECT_THAT(message_of(ErrorKind::data, [&] { open_image_folder(folder.path(), Split::test); }), HasSubstr("bird"));
}

TEST(ImageFolder, HashesTheFilesSelected) {
  const TemporaryDirectory folder;
  write_png(folder / "a/1.png", 2, 2, 1);
  write_png(folder / "a/2.png", 2, 2, 2);
  DatasetOptions options{.dataset = "images", .path = folder.path().string(), .limit = 1};
  const std::string before = open_dataset(options).content_hash();
  EXPECT_EQ(before.size(), 64u);
  write_png(folder / "a/2.png", 2, 2, 9);
  EXPECT_EQ(open_dataset(options).content_hash(), before);
  write_png(folder / "a/1.png", 2, 2, 9);
  EXPECT_NE(open_dataset(options).content_hash(), before);
}

TEST(ImageFile, DecodesJpegGreyAndAlphaToRgb) {
  const TemporaryDirectory folder;
  const std::vector<std::uint8_t> grey(64, 77);
  ASSERT_NE(stbi_write_jpg((folder / "grey.jpg").c_str(), 8, 8, 1, grey.data(), 95), 0);
  const Image image = read_image_file(folder / "grey.jpg");
  ASSERT_EQ(image.pixels.size(), 192u);
  for (const std::uint8_t pixel : image.pixels) EXPECT_NEAR(pixel, 77, 2);
  const std::array<std::uint8_t, 4> pixel = {5, 6, 7, 128};
  ASSERT_NE(stbi_write_png((folder / "alpha.png").c_str(), 1, 1, 4, pixel.data(), 4), 0);
  EXPECT_THAT(read_image_file(folder / "alpha.png").pixels, ElementsAre(5, 6, 7));
}

TEST(ImageFile, RefusesBrokenFilesOfEveryLength) {
  const TemporaryDirectory folder;
  std::vector<std::uint8_t> noise;
  for (int i = 0; i < 16 * 16 * 3; ++i) noise.push_back(static_cast<std::uint8_t>(i * i * 7));
  ASSERT_NE(stbi_write_png((folder / "whole.png").c_str(), 16, 16, 3, noise.data(), 48), 0);
  std::ifstream file(folder / "whole.png", std::ios::binary);
  const std::vector<std::uint8_t> whole{std::istreambuf_iterator<char>(file), {}};
  ASSERT_GT(whole.size(), 200u);
  // Short of the closing chunk, which nothing needs.
  for (std::size_t size = 0; size < whole.size() - 16; size += 7) {
    write_bytes(folder / "cut.png", {whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)});
    EXPECT_THAT(message_of(ErrorKind::data, [&] { read_image_file(folder / "cut.png"); }), HasSubstr("cut.png"))
        << size;
  }
}

TEST(ImageFile, ChecksTheHeadersExtentsBeforeDecoding) {
  const TemporaryDirectory folder;
  write_png(folder / "big.png", 3, 3, 1);
  std::fstream file(folder / "big.png", std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(16);  // width and height, big-endian
  const std::array<char, 8> extents = {0, 0, 0x3F, 0x7F, 0, 0, 0x3F, 0x7F};
  file.write(extents.data(), extents.size());
  file.close();
  EXPECT_THAT(message_of(ErrorKind::data, [&] { read_image_file(folder / "big.png"); }),
              AllOf(HasSubstr("too large"), HasSubstr("16255 x 16255")));
  EXPECT_THAT(message_of(ErrorKind::environment, [&] { read_image_file(folder / "none.png"); }), HasSubstr("none.png"));
}

}  // namespace
}  // namespace edgelab::data
