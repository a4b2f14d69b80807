#include "results/statistics.hpp"

#include <algorithm>
#include <boost/math/distributions/beta.hpp>
#include <cmath>
#include <stdexcept>
#include <vector>

#include "core/random.hpp"

namespace edgelab::results {
namespace {

constexpr int kReplicates = 2000;
constexpr std::size_t kFewestValues = 5;

std::vector<std::int64_t> sorted(std::span<const std::int64_t> values) {
  std::vector<std::int64_t> ascending(values.begin(), values.end());
  std::sort(ascending.begin(), ascending.end());
  return ascending;
}

// Medians of as many resamplings of the values.
std::vector<double> bootstrap_medians(std::span<const std::int64_t> values, std::uint64_t stream) {
  const std::vector<std::int64_t> ascending = sorted(values);
  const auto count = static_cast<double>(ascending.size());
  const double middle = std::floor((count + 1) / 2);
  const boost::math::beta_distribution<double> ranks(middle, count - middle + 1);
  CounterRandom random(stream_key(stream, "bootstrap"));
  std::vector<double> medians;
  for (int i = 0; i < kReplicates; ++i) {
    const double share = boost::math::quantile(ranks, static_cast<double>(random.next_bits() >> 11) * 0x1p-53);
    const auto index = std::min(static_cast<std::size_t>(share * count), ascending.size() - 1);
    medians.push_back(static_cast<double>(ascending[index]));
  }
  return medians;
}

}  // namespace

double percentile_of_sorted(std::span<const std::int64_t> ascending, double percent) {
  if (ascending.empty()) throw std::invalid_argument("a percentile of no values");
  const double rank = percent / 100.0 * static_cast<double>(ascending.size() - 1);
  const auto below =
      static_cast<std::size_t>(std::clamp(std::floor(rank), 0.0, static_cast<double>(ascending.size() - 1)));
  const std::size_t above = std::min(below + 1, ascending.size() - 1);
  const double part = rank - static_cast<double>(below);
  return static_cast<double>(ascending[below]) + part * static_cast<double>(ascending[above] - ascending[below]);
}

LatencySummary summarise_latency(std::span<const std::int64_t> latency_ns, std::int64_t batch) {
  const std::vector<std::int64_t> ascending = sorted(latency_ns);
  LatencySummary summary;
  const auto rounded = [&](double percent) {
    return static_cast<std::int64_t>(std::llround(percentile_of_sorted(ascending, percent)));
  };
  summary.p50_ns = rounded(50);
  summary.p90_ns = rounded(90);
  summary.p99_ns = rounded(99);
  summary.shortest_ns = ascending.front();
  summary.longest_ns = ascending.back();
  const auto count = static_cast<double>(ascending.size());
  double sum = 0;
  for (const std::int64_t value : ascending) sum += static_cast<double>(value);
  summary.mean_ns = sum / count;
  double squares = 0;
  for (const std::int64_t value : ascending) squares += std::pow(static_cast<double>(value) - summary.mean_ns, 2);
  if (ascending.size() > 1) summary.standard_deviation_ns = std::sqrt(squares / (count - 1));
  if (sum > 0) summary.samples_per_second = count * static_cast<double>(batch) / (sum * 1e-9);
  return summary;
}

std::optional<Interval> median_ratio_interval(std::span<const std::int64_t> a, std::span<const std::int64_t> b) {
  if (std::min(a.size(), b.size()) < kFewestValues) return std::nullopt;
  const std::vector<double> below = bootstrap_medians(a, 1);
  std::vector<double> ratios = bootstrap_medians(b, 2);
  for (std::size_t i = 0; i < ratios.size(); ++i) {
    if (below[i] <= 0) return std::nullopt;
    ratios[i] /= below[i];
  }
  std::sort(ratios.begin(), ratios.end());
  return Interval{ratios[kReplicates / 40], ratios[kReplicates - 1 - kReplicates / 40]};
}

}  // namespace edgelab::results
