#include "data/image_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "data/dataset.hpp"
#include "data/expect_error.hpp"
#include "data/image_file.hpp"
#include "data/sample_files.hpp"
#include "data/write_image.hpp"
#include "support/temporary_directory.hpp"

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
  std::vector<std::uint8_t> pixels;
  for (int i = 0; i < width * height; ++i) pixels.insert(pixels.end(), {static_cast<std::uint8_t>(red), 2, 3});
  test::write_png(path, width, height, 3, pixels);
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

}  // namespace
}  // namespace edgelab::data
