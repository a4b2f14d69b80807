#pragma once

#include <cstdint>
#include <optional>
#include <span>

// Intervals by the bootstrap (Efron 1979, percentile method, 95 %, 2,000 replicates), the same for the same input on every
// machine. What is drawn anew says what an interval covers: processes cover the drift from one process to the next, calls
// don't.
namespace edgelab::results {

struct Interval {
  double low = 0, high = 0;
};

// Fewer values than this a side tell nothing at 95 %: of three processes a side, all of one are below all of the other in
// one of ten comparisons of equals. With five, made-up equal sides (normal, log-normal, with stragglers, with two modes)
// were told apart in 2 to 4 of 100; the mean in place of the median made it 10 to 14.
inline constexpr std::size_t kFewestValues = 5;

// Of median(b) / median(a), calls resampled. The k-th order statistic of n draws with replacement is the value at the rank
// ⌈n·U⌉ with U from Beta(k, n − k + 1), so that nothing is resampled: a replicate costs two quantiles, whatever n. Empty
// below kFewestValues a side, or where a median of `a` is 0.
std::optional<Interval> median_ratio_interval(std::span<const std::int64_t> a, std::span<const std::int64_t> b);

// Of median(b) / median(a), where each value sums up one process. Empty in the same cases.
std::optional<Interval> process_ratio_interval(std::span<const double> a, std::span<const double> b);

// Of the difference of two shares over the same samples, b's less a's, the samples resampled as pairs: `gained` samples
// are right in b alone, `lost` in a alone, of `samples`. Empty below kFewestValues samples.
std::optional<Interval> paired_share_interval(std::int64_t gained, std::int64_t lost, std::int64_t samples);

double median_of(std::span<const double> values);  // throws std::invalid_argument for no values

}  // namespace edgelab::results
