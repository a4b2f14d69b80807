#include "results/percentile_bound.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "core/random.hpp"

namespace edgelab::results {
namespace {

TEST(PercentileBound, NeedsTheNumbersOfQueriesThatLoadGenNames) {
  EXPECT_EQ(values_needed(90), 64);
  EXPECT_EQ(values_needed(99), 662);
}

TEST(PercentileBound, AllowsWhatTheBinomialDistributionAllows) {
  EXPECT_EQ(values_above_limit(0, 90), -1);
  EXPECT_EQ(values_above_limit(43, 90), -1);  // 0.9^43 > 0.01
  EXPECT_EQ(values_above_limit(44, 90), 0);   // 0.9^44 < 0.01
  EXPECT_EQ(values_above_limit(63, 90), 0);
  EXPECT_EQ(values_above_limit(64, 90), 1);
  // By the normal approximation, 100 - 2.326 × sqrt(99) = 76.9 of 10,000 may be above the 99th percentile.
  EXPECT_NEAR(static_cast<double>(values_above_limit(10'000, 99)), 76.9, 2);
}

TEST(PercentileBound, IsOneOfTheValues) {
  std::vector<std::int64_t> values(64);
  std::iota(values.begin(), values.end(), 1);
  EXPECT_EQ(percentile_bound(values, 90), 63);
  values.resize(44);
  EXPECT_EQ(percentile_bound(values, 90), 44);
  values.resize(43);
  EXPECT_FALSE(percentile_bound(values, 90));
}

TEST(PercentileBound, HoldsAsOftenAsItSays) {
  CounterRandom random(7);
  int held = 0;
  constexpr int kTries = 4000;
  for (int i = 0; i < kTries; ++i) {
    std::vector<std::int64_t> values(200);
    for (std::int64_t& value : values) value = static_cast<std::int64_t>(random.below(1'000'000));
    std::sort(values.begin(), values.end());
    if (*percentile_bound(values, 90) >= 900'000) ++held;
  }
  EXPECT_GE(held, kConfidence * kTries - 3 * std::sqrt(kTries * 0.01));
}

}  // namespace
}  // namespace edgelab::results
