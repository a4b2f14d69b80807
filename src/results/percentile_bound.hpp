#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

// How well a percentile is known from so many values, whatever they are distributed like: of n values below percentile p
// there are a binomial number. (Order statistics; David and Nagaraja 2003, 7.1. It is what MLPerf's LoadGen does under the
// name of early stopping.)
namespace edgelab::results {

inline constexpr double kConfidence = 0.99;

// The least of the values, in ascending order, that the percentile `percent` of what they were drawn from does not exceed,
// at kConfidence. Empty where even the greatest is not known to be.
std::optional<std::int64_t> percentile_bound(std::span<const std::int64_t> ascending, double percent);

// How many of `count` values may lie above a limit, and the percentile still be known to keep it; -1 where none may be.
std::int64_t values_above_limit(std::int64_t count, double percent);

// The fewest values of which one may: a single straggler is then not the answer. 64 for the 90th percentile, 662 for the
// 99th.
std::int64_t values_needed(double percent);

}  // namespace edgelab::results
