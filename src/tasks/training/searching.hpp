#pragma once

#include <vector>

#include "search/parzen.hpp"
#include "tasks/searching/trials.hpp"
#include "tasks/task.hpp"

namespace edgelab::tasks {

// What a search may change of a job's `train`, and what that makes of it. The job's own numbers are in the middle of their ranges.
std::vector<search::Dimension> training_space(const TrainSpec& train);
TrainSpec with_settings(const TrainSpec& train, const std::vector<search::Dimension>& space, const std::vector<double>& point);

// What a trial trains: the same for a third of the epochs, whose schedule is as much shorter.
TrainSpec shortened(const TrainSpec& train);

// As search_settings(). Collective. Throws Error, Cancelled.
SearchedJob searched_training(const JobSpec& spec, TaskContext& context);

}  // namespace edgelab::tasks
