#pragma once

#include "compress/quantize/observer.hpp"
#include "data/dataset.hpp"
#include "models/model.hpp"
#include "runtime/executable.hpp"
#include "tasks/task.hpp"

namespace edgelab::tasks {

// A plan of what an observer watches.
runtime::Executable watched(const compress::Observer& observer, int threads);
// Tells the observer of its last run.
void note_run(compress::Observer& observer, runtime::Executable& executable, std::int64_t count, int threads);

// What calibration looks at: quantize.calibration.data, else 512 images drawn from the training split of the job's data set.
data::DatasetOptions calibration_options(const JobSpec& spec);

// Samples a call.
inline constexpr std::int64_t kCalibrationBatch = 4;

// Shows the observer, of a model for kCalibrationBatch images, all calibration images: each rank its share, and then all ranks know
// what all saw. Collective. Throws Error, Cancelled.
void calibrate(compress::Observer& observer, const JobSpec& spec, const models::ModelOptions& options, const TaskContext& context);

}  // namespace edgelab::tasks
