#include "results/percentile_bound.hpp"

#include <boost/math/distributions/binomial.hpp>

namespace edgelab::results {

std::int64_t values_above_limit(std::int64_t count, double percent) {
  // The k-th value bounds the percentile if fewer than k of `count` lie below it with probability kConfidence.
  const boost::math::binomial_distribution<double> below(static_cast<double>(count), percent / 100);
  const auto bounds = [&](std::int64_t k) {
    return boost::math::cdf(below, static_cast<double>(k - 1)) >= kConfidence;
  };
  if (count < 1 || !bounds(count)) return -1;
  std::int64_t low = 0, high = count;  // bounds(high), not bounds(low)
  while (high - low > 1) {
    const std::int64_t middle = low + (high - low) / 2;
    (bounds(middle) ? high : low) = middle;
  }
  return count - high;
}

std::optional<std::int64_t> percentile_bound(std::span<const std::int64_t> ascending, double percent) {
  const std::int64_t above = values_above_limit(static_cast<std::int64_t>(ascending.size()), percent);
  if (above < 0) return {};
  return ascending[ascending.size() - 1 - static_cast<std::size_t>(above)];
}

std::int64_t values_needed(double percent) {
  std::int64_t count = 1;
  while (values_above_limit(count, percent) < 1) ++count;
  return count;
}

}  // namespace edgelab::results
