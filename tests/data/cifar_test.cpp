#include "data/cifar.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "data/dataset.hpp"
#include "data/expect_error.hpp"
#include "data/sample_files.hpp"
#include "support/temporary_directory.hpp"

namespace edgelab::data {
namespace {

using edgelab::test::TemporaryDirectory;
using test::cifar_records;
using test::message_of;
using test::write_bytes;
using test::write_text;
using testing::AllOf;
using testing::Each;
using testing::HasSubstr;

TEST(Cifar, ReadsTheFiveTrainingFilesOfCifar10InOrder) {
  const TemporaryDirectory folder;
  test::write_cifar(cifar10_layout(), folder.path(), 3);
  const Source source = open_cifar(cifar10_layout(), folder.path(), Split::train);
  ASSERT_EQ(source.labels.size(), 15u);
  EXPECT_EQ(source.class_names.size(), 10u);
  for (int i = 0; i < 15; ++i) {
    EXPECT_EQ(source.labels[static_cast<std::size_t>(i)], i % 10);
    const Image image = source.image(i);
    EXPECT_EQ(image.width, 32);
    EXPECT_EQ(image.height, 32);
    ASSERT_EQ(image.pixels.size(), 3072u);
    EXPECT_THAT(image.pixels, Each(i));
  }
}

TEST(Cifar, UsesTheFineLabelOfCifar100) {
  const TemporaryDirectory folder;
  write_bytes(folder / "test.bin", cifar_records(cifar100_layout(), 0, 120));
  const Source source = open_cifar(cifar100_layout(), folder.path(), Split::test);
  ASSERT_EQ(source.labels.size(), 120u);
  EXPECT_EQ(source.labels[7], 7);
  EXPECT_EQ(source.labels[119], 19);
  EXPECT_THAT(source.image(119).pixels, Each(119));
}

TEST(Cifar, NeedsOnlyTheFilesOfTheSplitAskedFor) {
  const TemporaryDirectory folder;
  write_bytes(folder / "test_batch.bin", cifar_records(cifar10_layout(), 0, 2));
  EXPECT_EQ(open_cifar(cifar10_layout(), folder.path(), Split::test).labels.size(), 2u);
  EXPECT_THAT(message_of(ErrorKind::environment, [&] { open_cifar(cifar10_layout(), folder.path(), Split::train); }),
              HasSubstr("data_batch_1.bin"));
}

TEST(Cifar, ReadsClassNamesWhereTheyAre) {
  const TemporaryDirectory folder;
  write_bytes(folder / "test_batch.bin", cifar_records(cifar10_layout(), 0, 1));
  EXPECT_EQ(open_cifar(cifar10_layout(), folder.path(), Split::test).class_names[3], "3");
  write_text(folder / "batches.meta.txt", "a\nb\nc\r\nd\ne\nf\ng\nh\ni\nj\n\n");
  EXPECT_EQ(open_cifar(cifar10_layout(), folder.path(), Split::test).class_names[2], "c");
  write_text(folder / "batches.meta.txt", "a\nb\n");
  EXPECT_THAT(message_of(ErrorKind::data, [&] { open_cifar(cifar10_layout(), folder.path(), Split::test); }),
              AllOf(HasSubstr("batches.meta.txt"), HasSubstr("2 names"), HasSubstr("10")));
}

TEST(Cifar, RefusesAFileCutInsideARecord) {
  const TemporaryDirectory folder;
  auto bytes = cifar_records(cifar10_layout(), 0, 3);
  for (const std::size_t size : {std::size_t{1}, std::size_t{3072}, std::size_t{3074}, bytes.size() - 1}) {
    write_bytes(folder / "test_batch.bin", {bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size)});
    EXPECT_THAT(message_of(ErrorKind::data, [&] { open_cifar(cifar10_layout(), folder.path(), Split::test); }),
                AllOf(HasSubstr("test_batch.bin"), HasSubstr("got " + std::to_string(size) + " bytes"),
                      HasSubstr("3073"), HasSubstr("record " + std::to_string(size / 3073))));
  }
}

TEST(Cifar, RefusesAnEmptyFile) {
  const TemporaryDirectory folder;
  write_bytes(folder / "test_batch.bin", {});
  EXPECT_THAT(message_of(ErrorKind::data, [&] { open_cifar(cifar10_layout(), folder.path(), Split::test); }),
              HasSubstr("empty"));
}

TEST(Cifar, RefusesALabelOutOfRangeAndNamesItsRecord) {
  const TemporaryDirectory folder;
  auto bytes = cifar_records(cifar10_layout(), 0, 5);
  bytes[4 * 3073] = 10;
  write_bytes(folder / "test_batch.bin", bytes);
  EXPECT_THAT(message_of(ErrorKind::data, [&] { open_cifar(cifar10_layout(), folder.path(), Split::test); }),
              AllOf(HasSubstr("record 4"), HasSubstr("got 10"), HasSubstr("0 to 9")));
}

TEST(Cifar, RefusesAFolderInAFilesPlace) {
  const TemporaryDirectory folder;
  std::filesystem::create_directories(folder / "test_batch.bin");
  EXPECT_THAT(message_of(ErrorKind::environment, [&] { open_cifar(cifar10_layout(), folder.path(), Split::test); }),
              HasSubstr("not a file"));
}

TEST(Cifar, KeepsPixelsAliveAfterTheSourceIsGone) {
  const TemporaryDirectory folder;
  write_bytes(folder / "test_batch.bin", cifar_records(cifar10_layout(), 40, 1));
  Image image;
  {
    const Source source = open_cifar(cifar10_layout(), folder.path(), Split::test);
    image = source.image(0);
  }
  EXPECT_THAT(image.pixels, Each(40));
}

TEST(Cifar, ReadsTheRealCifar10) {
  const char* root = std::getenv("EDGELAB_DATA");
  if (root == nullptr ||
      !has_cifar_files(cifar10_layout(), std::filesystem::path(root) / "cifar-10-batches-bin", Split::test)) {
    GTEST_SKIP() << "EDGELAB_DATA doesn't point to a folder with cifar-10-batches-bin";
  }
  const Dataset dataset = open_dataset({.dataset = "cifar10", .split = Split::test, .limit = 512});
  ASSERT_EQ(dataset.size(), 512);
  EXPECT_EQ(dataset.class_names()[0], "airplane");
  // The official test split begins with a cat, two ships, an aeroplane and two frogs.
  const std::vector<int> expected = {3, 8, 8, 0, 6, 6};
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_EQ(dataset.label(static_cast<std::int64_t>(i)), expected[i]);
}

}  // namespace
}  // namespace edgelab::data
