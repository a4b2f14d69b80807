// Ranges of activations from what calibration saw, and scales of weights.
#include "compress/quantize/ranges.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "compress/quantize/weight_grid.hpp"
#include "support/random_tensor.hpp"

namespace edgelab::compress {
namespace {

Histogram histogram_of(const Tensor& numbers) {
  Histogram histogram;
  histogram.add(numbers.as<float>());
  return histogram;
}

TEST(Histogram, CountsEverythingWhateverItsSize) {
  Histogram histogram;
  histogram.add(std::vector<float>{0.0f, 1e-9f, -3.0f, 1e6f, -1e6f, 5.0f});
  EXPECT_EQ(histogram.count(), 6);
  EXPECT_EQ(histogram.low(), -1e6f);
  EXPECT_EQ(histogram.high(), 1e6f);
  std::int64_t sum = 0;
  for (const std::int64_t count : histogram.bins()) sum += count;
  EXPECT_EQ(sum, 6);
  histogram.add(std::vector<float>{NAN, INFINITY});
  EXPECT_EQ(histogram.count(), 6);
  EXPECT_EQ(histogram.not_finite(), 2);
}

TEST(Histogram, PartsAddUpToTheWhole) {
  const Tensor numbers = test::random_tensor({10000}, 1, 3.0f);
  const auto all = numbers.as<float>();
  Histogram first, second;
  first.add(all.first(1000));
  for (float& number : std::vector<float>(all.begin() + 1000, all.end())) second.add(std::span<const float>(&number, 1));
  Histogram sum = Histogram::unpacked(first.packed());
  sum.add(second);
  const Histogram whole = histogram_of(numbers);
  EXPECT_EQ(sum.limit(), whole.limit());
  EXPECT_EQ(sum.low(), whole.low());
  EXPECT_EQ(sum.high(), whole.high());
  EXPECT_TRUE(std::ranges::equal(sum.bins(), whole.bins()));
}

TEST(Histogram, QuantilesAreThoseOfTheNumbers) {
  const Histogram normal = histogram_of(test::random_tensor({200000}, 2));
  EXPECT_NEAR(normal.quantile(0.5), 0.0, 0.02);
  EXPECT_NEAR(normal.quantile(0.975), 1.96, 0.03);
  EXPECT_NEAR(normal.quantile(0.025), -1.96, 0.03);
}

TEST(Ranges, GridsHoldTheirEndsAndZeroExactly) {
  for (const bool symmetric : {true, false}) {
    for (const auto& [low, high] : {std::pair{-1.0, 3.0}, {0.5, 3.0}, {-2.0, -1.0}, {-1e-3, 1e3}}) {
      const graph::Grid grid = grid_over(low, high, symmetric);
      const auto real = [&](int q) { return static_cast<double>(grid.scale) * (q - grid.zero_point); };
      EXPECT_GE(real(255) + static_cast<double>(grid.scale) / 2, std::max(high, 0.0) - 1e-6);
      EXPECT_LE(real(0) - static_cast<double>(grid.scale) / 2, std::min(low, 0.0) + 1e-6);
      EXPECT_TRUE(grid.zero_point >= 0 && grid.zero_point <= 255);
    }
  }
  EXPECT_EQ(grid_over(-1, 3, true).zero_point, 128);
  EXPECT_EQ(grid_over(0, 3, true).zero_point, 0);
  EXPECT_GT(grid_over(0, 0, true).scale, 0.0f);
}

TEST(Ranges, OutliersWidenTheRangeOfMinmaxAlone) {
  Tensor numbers = test::random_tensor({100000}, 3);
  numbers.as<float>()[17] = 500.0f;
  const Histogram histogram = histogram_of(numbers);
  EXPECT_NEAR(chosen_grid(histogram, {RangeMethod::minmax}).scale, 500.0 / 127, 1e-3);
  EXPECT_LT(chosen_grid(histogram, {RangeMethod::percentile, 99.9}).scale, 6.0f / 127);
  EXPECT_LT(chosen_grid(histogram, {RangeMethod::kl}).scale, 100.0f / 127);
}

TEST(Ranges, OfMseIsTheLeastErrorOfAll) {
  // One number far out: cutting it pays.
  Tensor numbers = test::random_tensor({100000}, 4);
  numbers.as<float>()[3] = 8.0f;
  const Histogram histogram = histogram_of(numbers);
  const auto error = [&](const graph::Grid& grid) {
    double sum = 0.0;
    for (const float number : numbers.as<float>()) {
      const double q = std::clamp(std::nearbyint(static_cast<double>(number / grid.scale)) + grid.zero_point, 0.0, 255.0);
      sum += std::pow((q - grid.zero_point) * static_cast<double>(grid.scale) - static_cast<double>(number), 2);
    }
    return sum;
  };
  for (const bool symmetric : {true, false}) {
    const double least = error(chosen_grid(histogram, {RangeMethod::mse, 0, symmetric}));
    for (const RangeMethod method : {RangeMethod::minmax, RangeMethod::percentile, RangeMethod::kl}) EXPECT_LE(least, 1.02 * error(chosen_grid(histogram, {method, 99.99, symmetric})));
    EXPECT_LT(least, 0.9 * error(chosen_grid(histogram, {RangeMethod::minmax, 0, symmetric})));
  }
}

TEST(WeightGrid, EightBitsReachTheLargestAndFourLoseLeast) {
  Tensor weight = test::random_tensor({6, 50}, 5);
  for (std::size_t i = 0; i < 50; ++i) weight.as<float>()[i] *= 100.0f;
  const std::vector<float> each = weight_scales(weight, 8, true), all = weight_scales(weight, 8, false);
  ASSERT_EQ(each.size(), 6u);
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0], each[0]);
  EXPECT_LT(each[1], each[0] / 20);
  const auto error = [&](int bits, const std::vector<float>& scales) {
    Tensor rounded = weight.clone();
    put_on_grid(rounded, scales, bits);
    double sum = 0.0;
    for (std::size_t i = 0; i < 300; ++i) sum += std::pow(static_cast<double>(rounded.as<float>()[i] - weight.as<float>()[i]), 2);
    return sum;
  };
  std::vector<float> to_the_end = each;
  for (float& scale : to_the_end) scale *= 127.0f / 7.0f;
  EXPECT_LT(error(4, weight_scales(weight, 4, true)), error(4, to_the_end));
  EXPECT_LT(error(8, each), error(4, weight_scales(weight, 4, true)) / 50);
  Tensor zero(DType::f32, {2, 3});
  EXPECT_EQ(weight_scales(zero, 8, true), (std::vector<float>{1.0f, 1.0f}));
}

}  // namespace
}  // namespace edgelab::compress
