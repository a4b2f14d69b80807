#pragma once

#include <string>
#include <vector>

#include "tasks/job_spec.hpp"

namespace edgelab::app {

// What makes each job the same job for --resume (batch/content_key.hpp), by job. Reads every input file. Throws
// batch::JobFileErrors with one error a job whose inputs are missing.
std::vector<std::string> content_keys(const std::vector<tasks::JobSpec>& jobs);

}  // namespace edgelab::app
