#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace edgelab::results {

// Percentile `percent` (0 to 100) of values in ascending order, linear between the two nearest ranks: type 7 of Hyndman and
// Fan (1996), what numpy.percentile does, so that a reader's own sum over `latency` gives the same number. (LoadGen takes
// the nearest rank, which differs by at most one sample.) Throws std::invalid_argument for no values.
double percentile_of_sorted(std::span<const std::int64_t> ascending, double percent);

struct LatencySummary {
  double mean_ns = 0;
  std::int64_t p50_ns = 0, p90_ns = 0, p99_ns = 0;  // rounded to the nearest nanosecond
  std::int64_t shortest_ns = 0, longest_ns = 0;
  double standard_deviation_ns = 0;          // of the sample; 0 for one value
  std::optional<double> samples_per_second;  // for calls one after the other: calls × batch over their sum
};

// Throws std::invalid_argument for no values.
LatencySummary summarise_latency(std::span<const std::int64_t> latency_ns, std::int64_t batch);

struct Interval {
  double low = 0, high = 0;
};

// 95 % interval of median(b) / median(a) by the bootstrap (Efron 1979, percentile method, 2,000 replicates), the same for the
// same input. The k-th order statistic of n draws with replacement is the value at the rank ⌈n·U⌉ with U from
// Beta(k, n − k + 1), so that nothing is resampled: a replicate costs two quantiles, whatever n. Empty below 5 values.
std::optional<Interval> median_ratio_interval(std::span<const std::int64_t> a, std::span<const std::int64_t> b);

}  // namespace edgelab::results
