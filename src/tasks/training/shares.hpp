#pragma once

#include <cstdint>
#include <vector>

#include "models/model.hpp"
#include "tasks/job_spec.hpp"
#include "tasks/task.hpp"

namespace edgelab::tasks {

// Whether all ranks have the same processor and as many threads: what they do is then shared out evenly, so that one seed gives one
// result. Collective.
bool all_alike(const TaskContext& context);

// How many samples of each batch every rank takes. Ranks of one kind (processor and threads) take equal shares, so that one seed
// gives one result; unlike ones take what they are fast enough for, as two steps on each tell. Each share is a whole number of
// train.accumulate parts. Collective. Throws Error (usage) if some rank would get nothing.
std::vector<std::int64_t> shares_of_ranks(const JobSpec& spec, const models::ModelOptions& options, const TaskContext& context);

// Cuts the batch by the ranks' speeds (samples a second, in any unit), in whole parts, at least one each.
std::vector<std::int64_t> shares_by_speed(std::int64_t batch, std::int64_t parts, const std::vector<double>& speeds);

}  // namespace edgelab::tasks
