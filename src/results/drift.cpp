#include "results/drift.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "results/statistics.hpp"

namespace edgelab::results {
namespace {

constexpr double kLeast = 1.1;
constexpr double kDeviations = 3.29;  // of a normal distribution, two-sided 0.1 %

// By how many standard deviations the number of pairs with the second greater, ties counting half, is off that of equals.
double deviations(const std::vector<std::int64_t>& first, const std::vector<std::int64_t>& second) {
  double greater = 0;
  for (const std::int64_t value : second) {
    const auto [below, above] = std::equal_range(first.begin(), first.end(), value);
    greater += 0.5 * static_cast<double>((below - first.begin()) + (above - first.begin()));
  }
  const auto n = static_cast<double>(first.size()), m = static_cast<double>(second.size());
  return (greater - n * m / 2) / std::sqrt(n * m * (n + m + 1) / 12);
}

}  // namespace

std::optional<double> drift_of(std::span<const std::int64_t> values) {
  const std::size_t third = values.size() / 3;
  if (third < kFewestInThird) return {};
  const std::vector<std::int64_t> first = ascending_of(values.first(third)), last = ascending_of(values.last(third));
  const double before = percentile_of_sorted(first, 50), after = percentile_of_sorted(last, 50);
  if (before <= 0) return {};
  const double ratio = after / before;
  if (ratio < kLeast && ratio > 1 / kLeast) return {};
  return std::abs(deviations(first, last)) > kDeviations ? std::optional(ratio) : std::nullopt;
}

}  // namespace edgelab::results
