#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "kernels/implementation.hpp"
#include "runtime/plan.hpp"

namespace edgelab::runtime {

// One way to compute a layer, ready to be called on operands of its own. They are a constant small number: no kernel here
// takes a time that depends on values, apart from denormals, which this avoids.
using Trial = std::function<void()>;
Trial trial_of(const kernels::CallSite& site, const kernels::Offer& offer);
Trial trial_of(std::shared_ptr<const Plan> plan);

// Nanoseconds of one call of each on this machine now: the least of several, all trials by turns, so that what else the
// machine does meets all alike. For choosing between them; takes some 5 ms, more where five calls of each do (two, of calls
// that take 100 ms together): a network has some seventy such choices, and its first plan should not take a second.
std::vector<std::int64_t> least_times(const std::vector<Trial>& trials);

}  // namespace edgelab::runtime
