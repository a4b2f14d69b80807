#include "results/statistics.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <vector>

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

TEST(Statistics, ALayerIsHeldAgainstItsLimit) {
  LayerRow layer;
  EXPECT_FALSE(share_of_limit(layer));
  layer.flop = 3'000'000;
  layer.time_ns = 100'000;
  EXPECT_FALSE(share_of_limit(layer));
  layer.limit_flop_per_second = 4e10;
  EXPECT_DOUBLE_EQ(*share_of_limit(layer), 0.75);
  layer.time_ns = 0;
  EXPECT_FALSE(share_of_limit(layer));
}

}  // namespace
}  // namespace edgelab::results
