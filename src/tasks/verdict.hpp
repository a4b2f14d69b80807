#pragma once

#include "data/dataset.hpp"
#include "models/model.hpp"
#include "tasks/model_setup.hpp"

namespace edgelab::tasks {

// What held-out images say of a model that a job is trying.
struct Verdict {
  double top1 = 0.0, loss = 0.0;
};

// Each rank asks its share of the images, job.batch a call; all ranks get the same numbers. Collective. Throws Error, Cancelled.
Verdict tried_on(const data::Dataset& held_out, const JobSpec& job, BoundModel model, const models::ModelOptions& options, const TaskContext& context);

}  // namespace edgelab::tasks
