#pragma once

#include "batch/job_file/errors.hpp"
#include "batch/job_file/value.hpp"
#include "tasks/job_spec.hpp"

namespace edgelab::batch {

// What no single key can tell of a job: keys that must agree with one another. `value` is the job with its defaults and
// combination merged in, for the places; `spec` what was filled from it. `incomplete`: a default that seems to be missing
// may stand in a file that could not be read, so nothing is said of it.
void cross_check(const Value& value, const tasks::JobSpec& spec, ErrorList& errors, bool incomplete = false);

}  // namespace edgelab::batch
