#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "results/job_record.hpp"

namespace edgelab::results {

std::vector<std::int64_t> ascending_of(std::span<const std::int64_t> values);

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

// Operations a second of a layer as a share of what its threads can do; above 1 where a sparse kernel leaves operations out that count.
// Nothing where the limit, the time or the operations are not known.
std::optional<double> share_of_limit(const LayerRow& layer);

}  // namespace edgelab::results
