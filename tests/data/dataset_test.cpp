#include "data/dataset.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "data/describe.hpp"
#include "data/expect_error.hpp"
#include "data/generate.hpp"
#include "data/lookup.hpp"
#include "data/sample_files.hpp"
#include "support/temporary_directory.hpp"

namespace edgelab::data {
namespace {

using edgelab::test::TemporaryDirectory;
using test::EnvironmentVariable;
using test::message_of;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::int64_t> file_indices(const Dataset& dataset) {
  std::vector<std::int64_t> indices;
  for (std::int64_t i = 0; i < dataset.size(); ++i) indices.push_back(dataset.file_index(i));
  return indices;
}

std::vector<std::int32_t> labels(const Dataset& dataset) {
  std::vector<std::int32_t> all;
  for (std::int64_t i = 0; i < dataset.size(); ++i) all.push_back(dataset.label(i));
  return all;
}

TEST(Dataset, LimitTakesTheFirstInFileOrder) {
  EXPECT_THAT(file_indices(open_dataset({.dataset = "shapes10", .limit = 4})), ElementsAre(0, 1, 2, 3));
}

TEST(Dataset, ShuffleIsOnePermutationPerSeedAndComesBeforeLimit) {
  const Dataset whole = open_dataset({.dataset = "shapes10", .shuffle = true, .seed = 5});
  const auto indices = file_indices(whole);
  EXPECT_EQ(std::set<std::int64_t>(indices.begin(), indices.end()).size(), 1000u);
  const auto first = file_indices(open_dataset({.dataset = "shapes10", .limit = 50, .shuffle = true, .seed = 5}));
  EXPECT_EQ(first, std::vector<std::int64_t>(indices.begin(), indices.begin() + 50));
  EXPECT_NE(first, file_indices(open_dataset({.dataset = "shapes10", .limit = 50, .shuffle = true, .seed = 6})));
  EXPECT_TRUE(std::any_of(first.begin(), first.end(), [](std::int64_t index) { return index >= 50; }));
}

TEST(Dataset, ImagesAndLabelsFollowTheSelection) {
  const TemporaryDirectory folder;
  test::write_cifar(cifar10_layout(), folder.path(), 30);
  const Dataset dataset =
      open_dataset({.dataset = "cifar10", .path = folder.path().string(), .split = Split::train, .shuffle = true});
  ASSERT_EQ(dataset.size(), 150);
  for (std::int64_t i = 0; i < dataset.size(); ++i) {
    EXPECT_EQ(dataset.label(i), dataset.file_index(i) % 10);
    EXPECT_EQ(dataset.image(i).pixels[100], dataset.file_index(i));
  }
}

TEST(Dataset, PerClassTakesTheFirstOfEachClass) {
  const TemporaryDirectory folder;
  auto bytes = test::cifar_records(cifar10_layout(), 0, 10);
  const auto more = test::cifar_records(cifar10_layout(), 0, 25);
  bytes.insert(bytes.begin(), more.begin(), more.begin() + 3 * 3073);  // labels 0 1 2, then 0 to 9
  test::write_bytes(folder / "test_batch.bin", bytes);
  DatasetOptions options{.dataset = "cifar10", .path = folder.path().string(), .per_class = 1};
  EXPECT_THAT(file_indices(open_dataset(options)), ElementsAre(0, 1, 2, 6, 7, 8, 9, 10, 11, 12));
  options.limit = 4;
  EXPECT_THAT(labels(open_dataset(options)), ElementsAre(0, 1, 2, 3));
  options.per_class = 2;
  EXPECT_THAT(message_of(ErrorKind::usage, [&] { open_dataset(options); }),
              AllOf(HasSubstr("class '3'"), HasSubstr("got 2"), HasSubstr("at most 1")));
}

TEST(Dataset, ShapesGrowToWhatIsAskedFor) {
  EXPECT_EQ(open_dataset({.dataset = "shapes10"}).size(), 1000);
  EXPECT_EQ(open_dataset({.dataset = "shapes10", .split = Split::train}).size(), 5000);
  EXPECT_EQ(open_dataset({.dataset = "shapes10", .limit = 1234}).size(), 1234);
  EXPECT_EQ(open_dataset({.dataset = "shapes10", .per_class = 101}).size(), 1010);
}

TEST(Dataset, RefusesUnknownNamesAndNumbersOutOfRange) {
  EXPECT_THAT(message_of(ErrorKind::usage, [] { open_dataset({.dataset = "cifar"}); }),
              HasSubstr("did you mean cifar10?"));
  EXPECT_THAT(message_of(ErrorKind::usage, [] { open_dataset({.dataset = "shapes10", .limit = 0}); }),
              HasSubstr("data.limit"));
  EXPECT_THAT(message_of(ErrorKind::usage, [] { open_dataset({.dataset = "shapes10", .per_class = -1}); }),
              HasSubstr("data.per_class"));
  EXPECT_THAT(message_of(ErrorKind::usage, [] { open_dataset({.dataset = "shapes10", .limit = INT64_MAX}); }),
              HasSubstr("data.limit"));
  EXPECT_THAT(message_of(ErrorKind::usage, [] { open_dataset({.dataset = "shapes10", .per_class = 50'000'000}); }),
              HasSubstr("data.per_class"));
}

TEST(Dataset, HashTellsContentsApart) {
  const TemporaryDirectory folder;
  test::write_cifar(cifar10_layout(), folder.path(), 2);
  const DatasetOptions options{.dataset = "cifar10", .path = folder.path().string()};
  const std::string before = open_dataset(options).content_hash();
  EXPECT_EQ(open_dataset(options).content_hash(), before);
  auto bytes = test::cifar_records(cifar10_layout(), 0, 2);
  bytes[100] ^= 1;
  test::write_bytes(folder / "test_batch.bin", bytes);
  EXPECT_NE(open_dataset(options).content_hash(), before);
}

TEST(Lookup, PrefersThePathThenEdgelabDataThenTheCache) {
  const TemporaryDirectory root;
  const EnvironmentVariable data("EDGELAB_DATA", (root / "data").string());
  const EnvironmentVariable home("HOME", (root / "home").string()), elsewhere("EDGELAB_CACHE", "");
  const auto in_data = root / "data/cifar-10-batches-bin",
             in_cache = root / "home/.cache/edgelab/data/cifar-10-batches-bin";
  DatasetOptions options{.dataset = "cifar10"};
  const std::string missing = message_of(ErrorKind::environment, [&] { find_dataset_folder(options); });
  EXPECT_THAT(missing, AllOf(HasSubstr(in_data.string()), HasSubstr(in_cache.string()), HasSubstr("test_batch.bin"),
                             HasSubstr("edgelab data fetch cifar10")));
  test::write_cifar(cifar10_layout(), in_cache, 1);
  EXPECT_EQ(find_dataset_folder(options), in_cache);
  test::write_cifar(cifar10_layout(), in_data, 1);
  EXPECT_EQ(find_dataset_folder(options), in_data);
  options.path = (root / "mine").string();
  EXPECT_THAT(message_of(ErrorKind::environment, [&] { find_dataset_folder(options); }),
              HasSubstr((root / "mine").string()));
  test::write_cifar(cifar10_layout(), root / "mine", 1);
  EXPECT_EQ(find_dataset_folder(options), root / "mine");
}

TEST(Generate, WritesWhatTheGeneratorDraws) {
  const TemporaryDirectory root;
  generate_shapes10(root / "shapes", {.seed = 3, .train = 23, .test = 11});
  for (const Split split : {Split::train, Split::test}) {
    const Dataset drawn =
        open_dataset({.dataset = "shapes10", .split = split, .limit = split == Split::train ? 23 : 11, .seed = 3});
    const Dataset read = open_dataset({.dataset = "cifar10", .path = (root / "shapes").string(), .split = split});
    ASSERT_EQ(read.size(), drawn.size());
    EXPECT_EQ(read.class_names(), drawn.class_names());
    for (std::int64_t i = 0; i < read.size(); ++i) {
      EXPECT_EQ(read.label(i), drawn.label(i));
      EXPECT_TRUE(std::ranges::equal(read.image(i).pixels, drawn.image(i).pixels));
    }
  }
  EXPECT_EQ(open_dataset({.dataset = "shapes10", .path = (root / "shapes").string()}).size(), 11);
}

TEST(Generate, RefusesAFullFolderAndCountsOutOfRange) {
  const TemporaryDirectory root;
  test::write_text(root / "full/precious.txt", "x");
  EXPECT_THAT(message_of(ErrorKind::environment, [&] { generate_shapes10(root / "full", {}); }),
              HasSubstr("not empty"));
  EXPECT_TRUE(std::filesystem::exists(root / "full/precious.txt"));
  EXPECT_THAT(message_of(ErrorKind::usage, [&] { generate_shapes10(root / "new", {.train = 4}); }), HasSubstr("5 to"));
  EXPECT_THAT(message_of(ErrorKind::usage, [&] { generate_shapes10(root / "new", {.test = 0}); }), HasSubstr("1 to"));
  EXPECT_FALSE(std::filesystem::exists(root / "new"));
}

TEST(Describe, CountsASetByFolder) {
  const TemporaryDirectory root;
  test::write_cifar(cifar10_layout(), root / "c", 4);
  const DatasetDescription description = describe((root / "c").string());
  EXPECT_EQ(description.dataset, "cifar10");
  ASSERT_EQ(description.splits.size(), 2u);
  EXPECT_EQ(description.splits[0].samples, 20);
  EXPECT_EQ(description.splits[1].samples, 4);
  EXPECT_THAT(description.splits[1].per_class, ElementsAre(1, 1, 1, 1, 0, 0, 0, 0, 0, 0));
  EXPECT_EQ(description.splits[1].most_width, 32);
  EXPECT_EQ(description.splits[1].hash.size(), 64u);
}

TEST(Describe, LeavesOutAMissingSplitAndSaysWhenThereIsNone) {
  const TemporaryDirectory root;
  test::write_bytes(root / "c/test.bin", test::cifar_records(cifar100_layout(), 0, 3));
  const DatasetDescription description = describe((root / "c").string());
  EXPECT_EQ(description.dataset, "cifar100");
  ASSERT_EQ(description.splits.size(), 1u);
  EXPECT_EQ(description.splits[0].split, "test");
  EXPECT_THAT(message_of(ErrorKind::environment, [] { describe("cifr10"); }), HasSubstr("did you mean cifar10?"));
}

}  // namespace
}  // namespace edgelab::data
