#pragma once

#include "compress/prune/importance.hpp"
#include "models/model.hpp"
#include "tasks/task.hpp"

namespace edgelab::tasks {

// Gradients of the loss by every parameter, summed over the first batches of the job's training images, normalisations as in inference.
// `job` has `train`. On this rank alone. Throws Error, Cancelled.
compress::Gradients summed_gradients(const JobSpec& job, const models::ModelOptions& options, int batches, const TaskContext& context);

}  // namespace edgelab::tasks
