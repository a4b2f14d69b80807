#include "data/training_loader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "data/expect_error.hpp"
#include "data/mixing.hpp"
#include "data/sample_files.hpp"
#include "data/shuffle.hpp"
#include "support/temporary_directory.hpp"

namespace edgelab::data {
namespace {

using edgelab::test::TemporaryDirectory;
using test::message_of;
using testing::ElementsAre;
using testing::HasSubstr;

Dataset shapes(std::int64_t count) { return open_dataset({.dataset = "shapes10", .limit = count}); }

TrainingLoaderOptions options_of(int batch) {
  TrainingLoaderOptions options;
  options.batch = batch;
  options.preprocess.size = 16;
  options.seed = 5;
  return options;
}

const Augmentations kEverything{true, true, true, true, true};

std::vector<TrainingBatch> all_of(TrainingLoader& loader) {
  std::vector<TrainingBatch> batches;
  while (auto batch = loader.next()) batches.push_back(std::move(*batch));
  return batches;
}

std::vector<TrainingBatch> all_of(const Dataset& dataset, const TrainingLoaderOptions& options) {
  TrainingLoader loader(dataset, options);
  return all_of(loader);
}

template <class T>
std::vector<T> values_of(const Tensor& tensor) {
  const auto span = tensor.as<T>();
  return {span.begin(), span.end()};
}

void expect_same(const TrainingBatch& got, const TrainingBatch& expected) {
  EXPECT_EQ(got.epoch, expected.epoch);
  EXPECT_EQ(got.step, expected.step);
  EXPECT_EQ(got.count, expected.count);
  EXPECT_EQ(got.global_count, expected.global_count);
  EXPECT_EQ(got.positions, expected.positions);
  EXPECT_EQ(got.labels, expected.labels);
  EXPECT_TRUE(values_of<float>(got.targets) == values_of<float>(expected.targets));
  EXPECT_TRUE(values_of<float>(got.images) == values_of<float>(expected.images));
}

TEST(EpochOrder, IsAPermutationThatSeedAndEpochGive) {
  std::set<std::vector<std::int64_t>> orders;
  for (const std::uint64_t seed : {0u, 1u, 2u}) {
    for (const std::int64_t epoch : {0, 1, 2, 1000}) {
      auto order = epoch_order(50, seed, epoch);
      EXPECT_EQ(order, epoch_order(50, seed, epoch));
      orders.insert(order);
      std::ranges::sort(order);
      std::vector<std::int64_t> sorted(50);
      std::iota(sorted.begin(), sorted.end(), 0);
      EXPECT_EQ(order, sorted);
    }
  }
  EXPECT_EQ(orders.size(), 12u);
}

// Computed by another program from the definition: a change would change every training run.
TEST(EpochOrder, IsTheGoldenOne) { EXPECT_THAT(epoch_order(8, 7, 3), ElementsAre(3, 2, 7, 0, 1, 4, 5, 6)); }

TEST(TrainingLoader, GoesThroughEveryEpochInItsOrder) {
  const Dataset dataset = shapes(12);
  TrainingLoaderOptions options = options_of(4);
  options.epochs = 3;
  TrainingLoader loader(dataset, options);
  EXPECT_EQ(loader.steps_per_epoch(), 3);
  const auto batches = all_of(loader);
  ASSERT_EQ(batches.size(), 9u);
  for (std::size_t i = 0; i < 9; ++i) {
    const auto epoch = static_cast<std::int64_t>(i / 3), step = static_cast<std::int64_t>(i % 3);
    EXPECT_EQ(batches[i].epoch, epoch);
    EXPECT_EQ(batches[i].step, step);
    const auto order = epoch_order(12, 5, epoch);
    EXPECT_EQ(batches[i].positions, std::vector<std::int64_t>(order.begin() + step * 4, order.begin() + step * 4 + 4));
  }
  EXPECT_FALSE(loader.next().has_value());
}

TEST(TrainingLoader, GivesWithoutAugmentationsWhatThePreprocessorMakes) {
  const Dataset dataset = shapes(10);
  Preprocessor preprocess({.size = 16});
  std::vector<float> expected(3 * 16 * 16);
  for (const TrainingBatch& batch : all_of(dataset, options_of(5))) {
    const auto images = batch.images.as<float>(), targets = batch.targets.as<float>();
    EXPECT_EQ(batch.count, 5);
    EXPECT_EQ(batch.global_count, 5);
    for (std::size_t i = 0; i < 5; ++i) {
      preprocess(dataset.image(batch.positions[i]), expected);
      EXPECT_TRUE(std::ranges::equal(images.subspan(i * expected.size(), expected.size()), expected));
      EXPECT_EQ(batch.labels[i], dataset.label(batch.positions[i]));
      for (std::size_t c = 0; c < 10; ++c)
        EXPECT_EQ(targets[i * 10 + c], static_cast<int>(c) == batch.labels[i] ? 1.0f : 0.0f);
    }
  }
}

TEST(TrainingLoader, DropsOrPadsTheLastSamples) {
  const Dataset dataset = shapes(10);
  TrainingLoaderOptions options = options_of(4);
  EXPECT_EQ(all_of(dataset, options).size(), 2u);
  options.drop_last = false;
  options.augment = kEverything;
  options.label_smoothing = 0.1;
  const auto batches = all_of(dataset, options);
  ASSERT_EQ(batches.size(), 3u);
  const TrainingBatch& last = batches[2];
  EXPECT_EQ(last.count, 2);
  EXPECT_EQ(last.global_count, 2);
  EXPECT_EQ(last.images.shape(), (Shape{4, 3, 16, 16}));
  const auto order = epoch_order(10, 5, 0);
  EXPECT_THAT(last.positions, ElementsAre(order[8], order[9], -1, -1));
  EXPECT_THAT(last.labels, ElementsAre(dataset.label(order[8]), dataset.label(order[9]), -1, -1));
  const auto is_zero = [](float value) { return value == 0.0f; };
  EXPECT_TRUE(std::ranges::all_of(last.images.as<float>().subspan(2 * 3 * 16 * 16), is_zero));
  EXPECT_TRUE(std::ranges::all_of(last.targets.as<float>().subspan(2 * 10), is_zero));
  EXPECT_FALSE(is_zero(last.targets.as<float>()[0]));
}

TEST(TrainingLoader, PadsWithZerosInMemoryUsedBeforeToo) {
  TrainingLoaderOptions options = options_of(4);
  options.drop_last = false;
  options.epochs = 20;
  options.depth = 1;
  TrainingLoader loader(shapes(5), options);
  const auto is_zero = [](float value) { return value == 0.0f; };
  int padded = 0;
  while (const auto batch = loader.next()) {
    const auto rows = static_cast<std::size_t>(batch->count);
    EXPECT_TRUE(std::ranges::all_of(batch->images.as<float>().subspan(rows * 3 * 16 * 16), is_zero));
    EXPECT_TRUE(std::ranges::all_of(batch->targets.as<float>().subspan(rows * 10), is_zero));
    padded += rows < 4 ? 1 : 0;
  }
  EXPECT_EQ(padded, 20);
}

TEST(TrainingLoader, MakesTargetsThatSumToOne) {
  TrainingLoaderOptions options = options_of(6);
  options.augment = kEverything;
  options.label_smoothing = 0.1;
  options.epochs = 3;
  for (const TrainingBatch& batch : all_of(shapes(24), options)) {
    const auto targets = batch.targets.as<float>();
    for (std::size_t i = 0; i < 6; ++i) {
      const auto row = targets.subspan(i * 10, 10);
      EXPECT_NEAR(std::accumulate(row.begin(), row.end(), 0.0), 1.0, 1e-5);
      EXPECT_GE(*std::ranges::min_element(row), 0.01f - 1e-6f);
    }
  }
}

TEST(TrainingLoader, MixesSampleIWithTheBatchsOtherEnd) {
  const Dataset dataset = shapes(20);
  for (const Augmentations& wanted : {Augmentations{.mixup = true}, Augmentations{.cutmix = true}}) {
    TrainingLoaderOptions options = options_of(5);
    const auto plain = all_of(dataset, options);
    options.augment = wanted;
    const auto mixed = all_of(dataset, options);
    for (std::size_t b = 0; b < plain.size(); ++b) {
      const Mix mix = draw_mix(wanted, step_random(5, 0, static_cast<std::int64_t>(b)), 16);
      const auto images = plain[b].images.as<float>(), got = mixed[b].images.as<float>();
      constexpr std::size_t kSample = 3 * 16 * 16;
      for (std::size_t i = 0; i < 5; ++i) {
        std::vector<float> expected(images.begin() + static_cast<std::ptrdiff_t>(i * kSample),
                                    images.begin() + static_cast<std::ptrdiff_t>((i + 1) * kSample));
        mix_images(mix, 16, expected, images.subspan((4 - i) * kSample, kSample));
        for (std::size_t k = 0; k < kSample; ++k) ASSERT_NEAR(got[i * kSample + k], expected[k], 1e-6);
      }
    }
  }
}

TEST(TrainingLoader, GivesTheSameForAnyThreadsAndDepth) {
  const Dataset dataset = shapes(30);
  TrainingLoaderOptions options = options_of(4);
  options.augment = kEverything;
  options.epochs = 4;
  options.drop_last = false;
  const auto expected = all_of(dataset, options);
  for (const int threads : {1, 2, 3, 5}) {
    for (const int depth : {1, 4, 30}) {
      options.threads = threads;
      options.depth = depth;
      const auto got = all_of(dataset, options);
      ASSERT_EQ(got.size(), expected.size());
      for (std::size_t i = 0; i < got.size(); ++i) expect_same(got[i], expected[i]);
    }
  }
}

// The rows of all ranks, one below the other, are the global batch, whatever the shares.
TEST(TrainingLoader, GivesRanksTheSharesOfTheSameGlobalBatch) {
  const Dataset dataset = shapes(31);
  TrainingLoaderOptions options = options_of(9);
  options.augment = kEverything;
  options.label_smoothing = 0.1;
  options.epochs = 2;
  options.drop_last = false;  // the last has 4 samples
  const auto whole = all_of(dataset, options);
  ASSERT_EQ(whole.size(), 8u);
  const std::vector<std::vector<std::int64_t>> splits = {{9}, {5, 4}, {2, 7}, {3, 3, 3}, {1, 0, 8}, {2, 1, 6}, {1, 1, 1, 1, 1, 1, 1, 1, 1}};
  for (const auto& shares : splits) {
    SCOPED_TRACE(testing::PrintToString(shares));
    std::vector<std::vector<TrainingBatch>> ranks;
    for (int rank = 0; rank < std::ssize(shares); ++rank) {
      options.shares = shares;
      options.rank = rank;
      options.threads = 1 + rank % 2;
      ranks.push_back(all_of(dataset, options));
      ASSERT_EQ(ranks.back().size(), whole.size());
    }
    for (std::size_t b = 0; b < whole.size(); ++b) {
      std::vector<float> images, targets;
      std::vector<std::int64_t> positions;
      std::vector<std::int32_t> labels;
      std::int64_t count = 0;
      for (std::size_t rank = 0; rank < ranks.size(); ++rank) {
        const TrainingBatch& part = ranks[rank][b];
        EXPECT_EQ(part.images.shape(), (Shape{shares[rank], 3, 16, 16}));
        EXPECT_EQ(part.global_count, whole[b].global_count);
        images.insert(images.end(), part.images.as<float>().begin(), part.images.as<float>().end());
        targets.insert(targets.end(), part.targets.as<float>().begin(), part.targets.as<float>().end());
        positions.insert(positions.end(), part.positions.begin(), part.positions.end());
        labels.insert(labels.end(), part.labels.begin(), part.labels.end());
        count += part.count;
      }
      EXPECT_EQ(count, whole[b].count);
      EXPECT_EQ(positions, whole[b].positions);
      EXPECT_EQ(labels, whole[b].labels);
      EXPECT_TRUE(targets == values_of<float>(whole[b].targets));
      EXPECT_TRUE(images == values_of<float>(whole[b].images));
    }
  }
}

TEST(TrainingLoader, StartsAnywhereAsIfItHadCome) {
  const Dataset dataset = shapes(13);
  TrainingLoaderOptions options = options_of(3);
  options.augment = kEverything;
  options.epochs = 3;
  const auto expected = all_of(dataset, options);
  ASSERT_EQ(expected.size(), 12u);
  for (std::int64_t start = 0; start <= 12; ++start) {
    options.epoch = start / 4;
    options.step = start % 4;
    const auto got = all_of(dataset, options);
    ASSERT_EQ(std::ssize(got), 12 - start);
    for (std::size_t i = 0; i < got.size(); ++i) expect_same(got[i], expected[i + static_cast<std::size_t>(start)]);
  }
}

TEST(TrainingLoader, AugmentsTheSameSampleAnewInEachEpoch) {
  TrainingLoaderOptions options = options_of(1);
  options.augment = {.crop = true, .flip = true};
  options.epochs = 40;
  std::set<std::vector<float>> versions;
  for (const TrainingBatch& batch : all_of(shapes(1), options)) versions.insert(values_of<float>(batch.images));
  EXPECT_GT(versions.size(), 20u);
}

TEST(TrainingLoader, DrawsSoManyEpochsAsWereAskedForAndThenTheSameAgain) {
  const Dataset dataset = shapes(13);
  TrainingLoaderOptions options = options_of(4);
  options.augment = kEverything;
  options.epochs = 7;
  const auto all_differ = all_of(dataset, options);
  options.different_epochs = 3;
  const auto again = all_of(dataset, options);
  ASSERT_EQ(again.size(), all_differ.size());
  for (std::size_t i = 0; i < again.size(); ++i) {
    EXPECT_EQ(again[i].epoch, static_cast<std::int64_t>(i / 3));
    const TrainingBatch& as = all_differ[i % 9];
    EXPECT_EQ(again[i].step, as.step);
    EXPECT_EQ(again[i].positions, as.positions);
    EXPECT_TRUE(values_of<float>(again[i].targets) == values_of<float>(as.targets));
    EXPECT_TRUE(values_of<float>(again[i].images) == values_of<float>(as.images));
  }
}

TEST(TrainingLoader, RethrowsAWorkersErrorAtItsBatchsTurn) {
  const TemporaryDirectory folder;
  for (int i = 0; i < 6; ++i) test::write_text(folder / ("a/" + std::to_string(i) + ".png"), "not a picture");
  TrainingLoaderOptions options = options_of(2);
  options.threads = 3;
  TrainingLoader loader(open_dataset({.dataset = "images", .path = folder.path().string()}), options);
  EXPECT_THAT(message_of(ErrorKind::data, [&] { loader.next(); }), HasSubstr(".png"));
  EXPECT_THAT(message_of(ErrorKind::data, [&] { loader.next(); }), HasSubstr(".png"));
}

TEST(TrainingLoader, StopsCleanlyWhenDestroyedMidway) {
  const Dataset dataset = shapes(100);
  for (const int taken : {0, 1, 5}) {
    TrainingLoaderOptions options = options_of(3);
    options.threads = 3;
    options.epochs = 1000;
    TrainingLoader loader(dataset, options);
    for (int i = 0; i < taken; ++i) EXPECT_EQ(loader.next()->step, i);
  }
}

TEST(TrainingLoader, RefusesNumbersOutOfRange) {
  const auto refused = [](const auto& change) {
    TrainingLoaderOptions options = options_of(4);
    change(options);
    return message_of(ErrorKind::usage, [&] { TrainingLoader(shapes(10), options); });
  };
  using Options = TrainingLoaderOptions;
  EXPECT_THAT(refused([](Options& o) { o.batch = 0; }), HasSubstr("the batch"));
  EXPECT_THAT(refused([](Options& o) { o.threads = 0; }), HasSubstr("threads"));
  EXPECT_THAT(refused([](Options& o) { o.depth = -1; }), HasSubstr("depth"));
  EXPECT_THAT(refused([](Options& o) { o.shares = {2, 1}; }), HasSubstr("got 3, expected 4"));
  EXPECT_THAT(refused([](Options& o) { o.shares = {5, -1}; }), HasSubstr("share"));
  EXPECT_THAT(refused([](Options& o) { o.rank = 1; }), HasSubstr("rank"));
  EXPECT_THAT(refused([](Options& o) { o.shares = {2, 2}, o.rank = 2; }), HasSubstr("rank"));
  EXPECT_THAT(refused([](Options& o) { o.label_smoothing = 1.5; }), HasSubstr("smoothing"));
  EXPECT_THAT(refused([](Options& o) { o.batch = 11; }), HasSubstr("drop_last: false"));
  EXPECT_THAT(refused([](Options& o) { o.epoch = 2; }), HasSubstr("epoch"));
  EXPECT_THAT(refused([](Options& o) { o.step = 3; }), HasSubstr("step"));
  EXPECT_THAT(refused([](Options& o) { o.preprocess.size = 0; }), HasSubstr("size"));
}

TEST(Shares, AreNearestToTheWeightsAndSumToTheBatch) {
  EXPECT_THAT(shares_by_weight(10, std::vector<double>{1, 1}), ElementsAre(5, 5));
  EXPECT_THAT(shares_by_weight(10, std::vector<double>{1, 1, 1}), ElementsAre(4, 3, 3));
  EXPECT_THAT(shares_by_weight(128, std::vector<double>{3, 1}), ElementsAre(96, 32));
  EXPECT_THAT(shares_by_weight(10, std::vector<double>{0.66, 0.34, 0.0}), ElementsAre(7, 3, 0));
  EXPECT_THAT(shares_by_weight(1, std::vector<double>{1, 2, 1}), ElementsAre(0, 1, 0));
  CounterRandom random(8);
  for (int i = 0; i < 1000; ++i) {
    std::vector<double> weights;
    for (std::uint64_t n = 1 + random.below(9); n > 0; --n) weights.push_back(random.uniform());
    weights[0] += 0.1;
    const auto batch = static_cast<std::int64_t>(1 + random.below(300));
    const auto shares = shares_by_weight(batch, weights);
    ASSERT_EQ(std::accumulate(shares.begin(), shares.end(), std::int64_t{0}), batch);
    const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
    for (std::size_t r = 0; r < shares.size(); ++r)
      ASSERT_LT(std::abs(static_cast<double>(shares[r]) - static_cast<double>(batch) * weights[r] / sum), 1.0);
  }
  for (const std::vector<double>& bad : {std::vector<double>{}, {0.0, 0.0}, {1.0, -1.0}, {NAN, 1.0}, {INFINITY, 1.0}})
    EXPECT_THAT(message_of(ErrorKind::usage, [&] { shares_by_weight(4, bad); }), HasSubstr("weights"));
}

}  // namespace
}  // namespace edgelab::data
