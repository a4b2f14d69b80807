#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace edgelab::results {

// Median of the last third of a series over that of its first, where it went somewhere: more than a tenth away from 1, and
// the two thirds told apart by a Mann–Whitney test (1947) at 0.1 %, so that few or noisy values are no drift. Empty where it
// did not, or a third has fewer than kFewestInThird values.
inline constexpr std::size_t kFewestInThird = 10;
std::optional<double> drift_of(std::span<const std::int64_t> values);

}  // namespace edgelab::results
