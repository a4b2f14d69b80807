#include "results/bootstrap.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "core/random.hpp"

namespace edgelab::results {
namespace {

std::vector<std::int64_t> noisy(std::uint64_t seed, double centre, std::size_t count) {
  CounterRandom random(seed);
  std::vector<std::int64_t> values(count);
  for (auto& value : values) value = static_cast<std::int64_t>(centre * (1 + 0.05 * random.normal()));
  return values;
}

// The short cut by the beta distribution against resampling as the book says.
TEST(Bootstrap, TheIntervalIsThatOfPlainResampling) {
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

TEST(Bootstrap, TheIntervalTellsADifferenceFromNone) {
  const auto a = noisy(4, 4e6, 500), same = noisy(5, 4e6, 500), slower = noisy(6, 4.4e6, 500);
  const auto none = median_ratio_interval(a, same), some = median_ratio_interval(a, slower);
  ASSERT_TRUE(none && some);
  EXPECT_LT(none->low, 1);
  EXPECT_GT(none->high, 1);
  EXPECT_GT(some->low, 1.05);
  EXPECT_FALSE(median_ratio_interval(noisy(7, 4e6, 4), a));
}

TEST(Bootstrap, AnIntervalOfProcessesHoldsTheRatioOfTheirMedians) {
  const std::vector<double> a = {4.0, 4.1, 4.2, 4.3, 4.4}, b = {8.0, 8.2, 8.4, 8.6, 8.8};
  const auto interval = process_ratio_interval(a, b);
  ASSERT_TRUE(interval);
  EXPECT_LT(interval->low, 2);
  EXPECT_GT(interval->high, 2);
  EXPECT_GT(interval->low, 8.0 / 4.4 - 1e-9);
  EXPECT_FALSE(process_ratio_interval(std::span(a).first(4), b));
  EXPECT_DOUBLE_EQ(median_of(std::vector<double>{4, 1, 3, 2}), 2.5);
}

// A median latency from each of five processes, with what real ones do: spread like a bell, with a long tail, now and then a
// straggler, two speeds by chance (another core, another page layout).
double process_value(int kind, CounterRandom& random) {
  const double bell = random.normal();
  switch (kind) {
    case 0: return 1 + 0.02 * bell;
    case 1: return std::exp(0.05 * bell);
    case 2: return 1 + 0.01 * bell + (random.uniform() < 0.1 ? 0.5 : 0);
    default: return (random.uniform() < 0.5 ? 1 : 1.1) * (1 + 0.005 * bell);
  }
}

TEST(Bootstrap, EqualProcessesAreSeldomToldApartHoweverTheySpread) {
  constexpr int kComparisons = 400;
  for (int kind = 0; kind < 4; ++kind) {
    CounterRandom random(stream_key(11, "processes " + std::to_string(kind)));
    int told_apart = 0;
    for (int i = 0; i < kComparisons; ++i) {
      std::vector<double> a, b;
      for (std::size_t process = 0; process < kFewestValues; ++process) {
        a.push_back(process_value(kind, random));
        b.push_back(process_value(kind, random));
      }
      const auto interval = process_ratio_interval(a, b);
      ASSERT_TRUE(interval);
      told_apart += interval->low > 1 || interval->high < 1;
    }
    EXPECT_LE(told_apart, kComparisons / 20) << "kind " << kind;
  }
}

// Against the normal approximation of the same multinomial.
TEST(Bootstrap, PairedSharesHaveTheSpreadOfTheirMultinomial) {
  const auto interval = paired_share_interval(30, 50, 1000);
  ASSERT_TRUE(interval);
  const double deviation = std::sqrt((0.08 - 0.02 * 0.02) / 1000);
  EXPECT_NEAR(interval->low, -0.02 - 1.96 * deviation, 0.003);
  EXPECT_NEAR(interval->high, -0.02 + 1.96 * deviation, 0.003);
  EXPECT_EQ(paired_share_interval(0, 0, 1000)->low, 0);
  EXPECT_EQ(paired_share_interval(1000, 0, 1000)->high, 1);
  EXPECT_FALSE(paired_share_interval(1, 1, 4));
}

}  // namespace
}  // namespace edgelab::results
