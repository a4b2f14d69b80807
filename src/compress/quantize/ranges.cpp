#include "compress/quantize/ranges.hpp"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

namespace edgelab::compress {
namespace {

using graph::Grid;
using Range = std::pair<double, double>;

constexpr int kSteps = 100;   // ranges that are tried, of `mse`
constexpr int kLevels = 128;  // of one sign, of `kl`

double squared_error(const Histogram& histogram, const Grid& grid) {
  const double scale = static_cast<double>(grid.scale);
  double sum = 0.0;
  for (int bin = 0; bin < Histogram::kBins; ++bin) {
    const std::int64_t count = histogram.bins()[static_cast<std::size_t>(bin)];
    if (count == 0) continue;
    const double x = histogram.middle(bin);
    const double q = std::clamp(std::nearbyint(x / scale) + grid.zero_point, 0.0, 255.0);
    const double error = (q - grid.zero_point) * scale - x;
    // Within a bin numbers lie anywhere: rounding alone costs scale²/12 where the grid is finer than the bins.
    const bool inside = q > 0.0 && q < 255.0;
    sum += static_cast<double>(count) * (inside ? std::max(error * error, scale * scale / 12.0) : error * error);
  }
  return sum;
}

Range least_squared_error(const Histogram& histogram, bool symmetric) {
  const double low = static_cast<double>(histogram.low()), high = static_cast<double>(histogram.high());
  Range best = {low, high};
  double least = HUGE_VAL;
  for (int step = kSteps; step > kSteps / 10; --step) {
    const double share = static_cast<double>(step) / kSteps;
    const double error = squared_error(histogram, grid_over(low * share, high * share, symmetric));
    if (error < least) least = error, best = {low * share, high * share};
  }
  return best;
}

// Of magnitudes, bins from zero.
std::vector<double> magnitudes(const Histogram& histogram) {
  constexpr int kHalf = Histogram::kBins / 2;
  std::vector<double> bins(kHalf);
  for (int i = 0; i < kHalf; ++i) bins[static_cast<std::size_t>(i)] = static_cast<double>(histogram.bins()[static_cast<std::size_t>(kHalf + i)] + histogram.bins()[static_cast<std::size_t>(kHalf - 1 - i)]);
  return bins;
}

// Of the first `kept` bins, with all beyond them counted to the last, from the same on kLevels levels.
double divergence(const std::vector<double>& bins, std::size_t kept) {
  double beyond = 0.0, all = 0.0;
  for (std::size_t i = kept; i < bins.size(); ++i) beyond += bins[i];
  for (const double count : bins) all += count;
  double sum = 0.0;
  for (int level = 0; level < kLevels; ++level) {
    const std::size_t begin = kept * static_cast<std::size_t>(level) / kLevels, end = kept * static_cast<std::size_t>(level + 1) / kLevels;
    double count = 0.0, used = 0.0;
    for (std::size_t i = begin; i < end; ++i) count += bins[i], used += bins[i] > 0 ? 1.0 : 0.0;
    for (std::size_t i = begin; i < end; ++i) {
      const double p = (bins[i] + (i + 1 == kept ? beyond : 0.0)) / all;
      if (p <= 0) continue;
      const double q = bins[i] > 0 ? count / used / (all - beyond) : 1e-12;
      sum += p * std::log(p / q);
    }
  }
  return sum;
}

Range least_divergence(const Histogram& histogram) {
  std::vector<double> bins = magnitudes(histogram);
  bins[0] = 0.0;  // zeros, of which relu makes many, are on every grid
  const double low = static_cast<double>(histogram.low()), high = static_cast<double>(histogram.high());
  std::size_t end = bins.size();
  while (end > 0 && bins[end - 1] == 0.0) --end;
  double least = HUGE_VAL;
  std::size_t best = end;
  for (std::size_t kept = kLevels; kept <= end; kept += 4) {
    const double value = divergence(bins, kept);
    if (value < least) least = value, best = kept;
  }
  const double threshold = static_cast<double>(best) * histogram.width();
  return {std::max(low, -threshold), std::min(high, threshold)};
}

}  // namespace

Grid grid_over(double low, double high, bool symmetric) {
  low = std::min(low, 0.0), high = std::max(high, 0.0);
  if (high - low < 1e-30) return {1.0f, symmetric && low < 0 ? 128 : 0};
  if (symmetric && low < 0) return {static_cast<float>(std::max(-low, high) / 127.0), 128};
  const double scale = (high - low) / 255.0;
  return {static_cast<float>(scale), static_cast<std::int32_t>(std::clamp(std::nearbyint(-low / scale), 0.0, 255.0))};
}

Grid chosen_grid(const Histogram& histogram, const RangeSettings& settings) {
  Range range = {static_cast<double>(histogram.low()), static_cast<double>(histogram.high())};
  switch (settings.method) {
    case RangeMethod::minmax: break;
    case RangeMethod::percentile: {
      const double outside = (1.0 - settings.percentile / 100.0) / 2.0;
      range = {histogram.quantile(outside), histogram.quantile(1.0 - outside)};
      break;
    }
    case RangeMethod::mse: range = least_squared_error(histogram, settings.symmetric); break;
    case RangeMethod::kl: range = least_divergence(histogram); break;
  }
  return grid_over(range.first, range.second, settings.symmetric);
}

}  // namespace edgelab::compress
