#include "data/loader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "data/expect_error.hpp"
#include "data/sample_files.hpp"
#include "support/temporary_directory.hpp"

namespace edgelab::data {
namespace {

using edgelab::test::TemporaryDirectory;
using test::message_of;
using testing::HasSubstr;

Dataset shapes(std::int64_t count) { return open_dataset({.dataset = "shapes10", .limit = count}); }

LoaderOptions options_of(int batch, int threads, int depth) {
  LoaderOptions options;
  options.batch = batch;
  options.threads = threads;
  options.depth = depth;
  options.preprocess.size = 16;
  return options;
}

TEST(Loader, YieldsEverySampleInOrderForAnyBatchThreadsAndDepth) {
  const Dataset dataset = shapes(23);
  Preprocessor preprocess({.size = 16});
  std::vector<float> expected(3 * 16 * 16);
  for (const int batch : {1, 4, 23, 50}) {
    for (const int threads : {1, 3}) {
      for (const int depth : {0, 1, 5}) {
        Loader loader(dataset, options_of(batch, threads, depth));
        EXPECT_EQ(loader.samples(), 23);
        std::int64_t position = 0, batches = 0;
        while (const auto loaded = loader.next()) {
          ++batches;
          ASSERT_EQ(loaded->images.shape(), (Shape{batch, 3, 16, 16}));
          for (std::int64_t i = 0; i < loaded->count; ++i, ++position) {
            ASSERT_EQ(loaded->positions[static_cast<std::size_t>(i)], position);
            ASSERT_EQ(loaded->labels[static_cast<std::size_t>(i)], dataset.label(position));
            preprocess(dataset.image(position), expected);
            const auto got =
                loaded->images.as<float>().subspan(static_cast<std::size_t>(i) * expected.size(), expected.size());
            ASSERT_TRUE(std::ranges::equal(got, expected));
          }
        }
        EXPECT_EQ(position, 23);
        EXPECT_EQ(batches, loader.batches());
        EXPECT_FALSE(loader.next().has_value());
      }
    }
  }
}

TEST(Loader, PadsTheLastBatchWithZerosAndMarksIt) {
  Loader loader(shapes(10), options_of(8, 2, 0));
  EXPECT_EQ(loader.next()->count, 8);
  const auto last = loader.next();
  ASSERT_EQ(last->count, 2);
  const auto padding = std::as_const(last->images).as<float>().subspan(2 * 3 * 16 * 16);
  EXPECT_TRUE(std::ranges::all_of(padding, [](float value) { return value == 0.0f; }));
  for (std::size_t i = 2; i < 8; ++i) {
    EXPECT_EQ(last->labels[i], -1);
    EXPECT_EQ(last->positions[i], -1);
  }
}

TEST(Loader, ShardsDontOverlapCoverEverythingAndDifferByOneAtMost) {
  for (const std::int64_t samples : {0, 1, 3, 7, 512}) {
    for (const int ranks : {1, 2, 3, 4, 9}) {
      std::int64_t next = 0;
      for (int rank = 0; rank < ranks; ++rank) {
        const Shard shard = shard_of(samples, rank, ranks);
        EXPECT_EQ(shard.begin, next);
        EXPECT_GE(shard.size(), samples / ranks);
        EXPECT_LE(shard.size(), samples / ranks + 1);
        next = shard.end;
      }
      EXPECT_EQ(next, samples);
    }
  }
}

TEST(Loader, GoesThroughItsOwnShardAlone) {
  LoaderOptions options = options_of(2, 1, 0);
  options.ranks = 3;
  options.rank = 1;
  Loader loader(shapes(11), options);
  std::vector<std::int64_t> positions;
  while (const auto batch = loader.next())
    positions.insert(positions.end(), batch->positions.begin(), batch->positions.begin() + batch->count);
  EXPECT_EQ(positions, (std::vector<std::int64_t>{4, 5, 6, 7}));
}

TEST(Loader, GivesNothingForAnEmptyShard) {
  LoaderOptions options = options_of(2, 2, 0);
  options.ranks = 5;
  options.rank = 4;
  Loader loader(shapes(3), options);
  EXPECT_EQ(loader.samples(), 0);
  EXPECT_FALSE(loader.next().has_value());
}

TEST(Loader, RethrowsAWorkersErrorAtItsBatchsTurn) {
  const TemporaryDirectory folder;
  // "P6" files would be another format; these are PNG by name alone.
  for (int i = 0; i < 6; ++i) test::write_text(folder / ("a/" + std::to_string(i) + ".png"), "not a picture");
  Loader loader(open_dataset({.dataset = "images", .path = folder.path().string()}), options_of(1, 3, 0));
  EXPECT_THAT(message_of(ErrorKind::data, [&] { loader.next(); }), HasSubstr("0.png"));
  EXPECT_THAT(message_of(ErrorKind::data, [&] { loader.next(); }), HasSubstr("0.png"));
}

TEST(Loader, StopsCleanlyWhenDestroyedMidway) {
  const Dataset dataset = shapes(1000);
  for (const int taken : {0, 1, 5}) {
    Loader loader(dataset, options_of(3, 3, 2));
    for (int i = 0; i < taken; ++i) EXPECT_EQ(loader.next()->positions[0], i * 3);
  }
}

TEST(Loader, GivesBatchesThatOutliveIt) {
  std::optional<Batch> batch;
  {
    Loader loader(shapes(4), options_of(2, 1, 0));
    batch = loader.next();
  }
  ASSERT_TRUE(batch.has_value());
  EXPECT_EQ(batch->images.as<float>().size(), 2u * 3 * 16 * 16);
  EXPECT_NE(batch->images.as<float>()[0], 0.0f);
}

TEST(Loader, RefusesNumbersOutOfRange) {
  EXPECT_THAT(message_of(ErrorKind::usage, [] { Loader(shapes(4), options_of(0, 1, 0)); }), HasSubstr("batch"));
  EXPECT_THAT(message_of(ErrorKind::usage, [] { Loader(shapes(4), options_of(1, 0, 0)); }), HasSubstr("threads"));
  EXPECT_THAT(message_of(ErrorKind::usage, [] { Loader(shapes(4), options_of(1, 1, -1)); }), HasSubstr("depth"));
  LoaderOptions options = options_of(1, 1, 0);
  options.rank = 1;
  EXPECT_THAT(message_of(ErrorKind::usage, [&] { Loader(shapes(4), options); }), HasSubstr("rank"));
  options.rank = 0;
  options.preprocess.size = 0;
  EXPECT_THAT(message_of(ErrorKind::usage, [&] { Loader(shapes(4), options); }), HasSubstr("size"));
}

}  // namespace
}  // namespace edgelab::data
