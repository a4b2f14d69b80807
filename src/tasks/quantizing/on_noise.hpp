#pragma once

#include "models/model.hpp"
#include "results/job_record.hpp"
#include "tasks/model_setup.hpp"

namespace edgelab::tasks {

// Gives a model of random weights grids from one batch of made-up images, so that its time in integers can be measured, and its
// record their bytes. Throws Error.
void quantize_on_noise(BoundModel& model, const models::ModelOptions& options, std::uint64_t seed, int threads, results::ModelRecord& record);

}  // namespace edgelab::tasks
