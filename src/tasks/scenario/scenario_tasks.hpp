#pragma once

#include <vector>

#include "tasks/spec_problem.hpp"
#include "tasks/task.hpp"

namespace edgelab::tasks {

// `infer` and `bench` of a job with a scenario. `infer` answers the whole data set once before anything is timed, for the accuracy;
// queries then ask for as many of its images as are kept in memory at once.
results::JobRecord run_scenario_infer(const JobSpec& spec, TaskContext& context);
results::JobRecord run_scenario_bench(const JobSpec& spec, TaskContext& context);

// Whether the job's scenario changes what it does: other tasks have no use for the key.
bool has_scenario(const JobSpec& spec);
// What in it can't be done.
std::vector<SpecProblem> problems_of_scenario(const JobSpec& spec);

}  // namespace edgelab::tasks
