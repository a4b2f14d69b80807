#include "results/drift.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "core/random.hpp"

namespace edgelab::results {
namespace {

// Around 1 ms, each `step` of it longer than the one before, with noise and stragglers.
std::vector<std::int64_t> series(int count, double step, double noise, std::uint64_t key) {
  CounterRandom random(key);
  std::vector<std::int64_t> values;
  for (int i = 0; i < count; ++i) {
    const double straggler = random.below(50) == 0 ? 5.0 : 0.0;
    values.push_back(static_cast<std::int64_t>(1e6 * (1 + step * i + noise * std::abs(random.normal()) + straggler)));
  }
  return values;
}

TEST(Drift, IsSeenWhereCallsBecomeSlowerOrFaster) {
  EXPECT_NEAR(drift_of(series(300, 1e-3, 0.05, 1)).value_or(0), 1.25 / 1.05, 0.05);
  const double faster = drift_of(series(300, -2e-3, 0.05, 2)).value_or(2);
  EXPECT_LT(faster, 0.7);
}

TEST(Drift, IsNotSeenInNoise) {
  for (std::uint64_t key = 0; key < 200; ++key) {
    EXPECT_FALSE(drift_of(series(60, 0, 0.3, key))) << key;
    EXPECT_FALSE(drift_of(series(600, 0, 0.05, key))) << key;
  }
}

TEST(Drift, OfLessThanATenthIsNone) { EXPECT_FALSE(drift_of(series(3000, 2e-5, 0.01, 3))); }

TEST(Drift, OfTooFewValuesIsNone) {
  std::vector<std::int64_t> values(29);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<std::int64_t>(i + 1);
  EXPECT_FALSE(drift_of(values));
  values.push_back(30);
  EXPECT_TRUE(drift_of(values));
}

}  // namespace
}  // namespace edgelab::results
