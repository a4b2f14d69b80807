#include "results/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace edgelab::results {

std::vector<std::int64_t> ascending_of(std::span<const std::int64_t> values) {
  std::vector<std::int64_t> ascending(values.begin(), values.end());
  std::sort(ascending.begin(), ascending.end());
  return ascending;
}

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
  const std::vector<std::int64_t> ascending = ascending_of(latency_ns);
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

std::optional<double> share_of_limit(const LayerRow& layer) {
  if (!(layer.limit_flop_per_second > 0.0) || layer.time_ns <= 0 || layer.flop <= 0) return {};
  return 1e9 * static_cast<double>(layer.flop) / static_cast<double>(layer.time_ns) / layer.limit_flop_per_second;
}

}  // namespace edgelab::results
