#pragma once

#include <vector>

#include "search/parzen.hpp"
#include "tasks/searching/trials.hpp"
#include "tasks/task.hpp"

namespace edgelab::tasks {

// What a search may change of a job's `quantize`, and what that makes of it.
std::vector<search::Dimension> searched_space(const JobSpec& spec);
JobSpec with_settings(const JobSpec& spec, const std::vector<search::Dimension>& space, const std::vector<double>& point);

// As search_settings(). Collective. Throws Error, Cancelled.
SearchedJob searched_settings(const JobSpec& spec, TaskContext& context);

}  // namespace edgelab::tasks
