#include "results/statistics.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>
#include <vector>

#include "core/random.hpp"

namespace edgelab::results {
namespace {

TEST(Statistics, PercentilesAreNumpysLinearOnes) {
  const std::vector<std::int64_t> values = {10, 20, 40, 80, 160};  // numpy.percentile(values, [0, 10, 50, 90, 99, 100])
  EXPECT_DOUBLE_EQ(percentile_of_sorted(values, 0), 10);
  EXPECT_DOUBLE_EQ(percentile_of_sorted(values, 10), 14);
  EXPECT_DOUBLE_EQ(percentile_of_sorted(values, 50), 40);
  EXPECT_DOUBLE_EQ(percentile_of_sorted(values, 90), 128);
  EXPECT_DOUBLE_EQ(percentile_of_sorted(values, 99), 156.8);
  EXPECT_DOUBLE_EQ(percentile_of_sorted(values, 100), 160);
  EXPECT_THROW(percentile_of_sorted({}, 50), std::invalid_argument);
}

TEST(Statistics, SummarisesALatencyTable) {
  const std::vector<std::int64_t> values = {4'000'000, 1'000'000, 3'000'000, 2'000'000};
  const LatencySummary summary = summarise_latency(values, 8);
  EXPECT_DOUBLE_EQ(summary.mean_ns, 2.5e6);
  EXPECT_EQ(summary.p50_ns, 2'500'000);
  EXPECT_EQ(summary.shortest_ns, 1'000'000);
  EXPECT_EQ(summary.longest_ns, 4'000'000);
  EXPECT_NEAR(summary.standard_deviation_ns, 1.29099e6, 10);
  EXPECT_DOUBLE_EQ(*summary.samples_per_second, 3200);
  EXPECT_EQ(summarise_latency(std::vector<std::int64_t>{7}, 1).standard_deviation_ns, 0);
  EXPECT_THROW(summarise_latency({}, 1), std::invalid_argument);
}

std::vector<std::int64_t> noisy(std::uint64_t seed, double centre, std::size_t count) {
  CounterRandom random(seed);
  std::vector<std::int64_t> values(count);
  for (auto& value : values) value = static_cast<std::int64_t>(centre * (1 + 0.05 * random.normal()));
  return values;
}

// The short cut by the beta distribution against resampling as the book says.
TEST(Statistics, TheIntervalIsThatOfPlainResampling) {
  const auto a = noisy(1, 4e6, 201), b = noisy(2, 5e6, 151);
  CounterRandom random(3);
  const auto median_of_resample = [&](const std::vector<std::int64_t>& values) {
    std::vector<std::int64_t> drawn(values.size());
    for (auto& value : drawn) value = values[random.below(values.size())];
    std::nth_element(drawn.begin(), drawn.begin() + static_cast<std::ptrdiff_t>(drawn.size() / 2), drawn.end());
    return static_cast<double>(drawn[drawn.size() / 2]);
  };
  std::vector<double> ratios;
  for (int i = 0; i < 4000; ++i) ratios.push_back(median_of_resample(b) / median_of_resample(a));
  std::sort(ratios.begin(), ratios.end());
  const auto interval = median_ratio_interval(a, b);
  ASSERT_TRUE(interval);
  EXPECT_NEAR(interval->low, ratios[100], 0.003);
  EXPECT_NEAR(interval->high, ratios[3899], 0.003);
}

TEST(Statistics, TheIntervalTellsADifferenceFromNone) {
  const auto a = noisy(4, 4e6, 500), same = noisy(5, 4e6, 500), slower = noisy(6, 4.4e6, 500);
  const auto none = median_ratio_interval(a, same), some = median_ratio_interval(a, slower);
  ASSERT_TRUE(none && some);
  EXPECT_LT(none->low, 1);
  EXPECT_GT(none->high, 1);
  EXPECT_GT(some->low, 1.05);
  EXPECT_FALSE(median_ratio_interval(noisy(7, 4e6, 4), a));
}

}  // namespace
}  // namespace edgelab::results
