#pragma once

#include <vector>

#include "batch/job_file/value.hpp"
#include "tasks/job_spec.hpp"

namespace edgelab::batch {

// `expect:` lists that have passed the check, and back. An Expectation's text is made anew from what it says, so that
// `1e-3` and `0.001` are the same expectation.
std::vector<tasks::Expectation> read_expectations(const Value& list);
Value show_expectations(const std::vector<tasks::Expectation>& expectations);

}  // namespace edgelab::batch
