#pragma once

#include <functional>
#include <optional>

namespace edgelab::tasks {

// The highest rate that still goes well, by bisection between 0 and `ceiling`, known to a share `tolerance` of itself: the
// highest of those tried that did, where one `tolerance` higher or less did not, or is the ceiling. `goes_well` is asked once a
// rate. Empty if a 64th of the ceiling is too much already.
std::optional<double> highest_rate(double ceiling, double tolerance, const std::function<bool(double rate)>& goes_well);

}  // namespace edgelab::tasks
