#pragma once

#include "tasks/task.hpp"

namespace edgelab::tasks {

// `infer` and `evaluate` of a model that is split over the job's ranks; run_infer() and run_evaluate() hand such jobs on. Rank 0 alone
// reads the data set.
results::JobRecord run_split_infer(const JobSpec& spec, TaskContext& context);
results::JobRecord run_split_evaluate(const JobSpec& spec, TaskContext& context);

}  // namespace edgelab::tasks
