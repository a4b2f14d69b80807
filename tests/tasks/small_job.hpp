#pragma once

#include "tasks/job_spec.hpp"

namespace edgelab::tasks::example {

// A third of MobileNetV2's channels on drawn images of 32 pixels, the last batch short: milliseconds.
inline JobSpec small_job(Task task) {
  JobSpec spec;
  spec.id = "job";
  spec.task = task;
  spec.data.dataset = "shapes10";
  spec.data.limit = 13;
  spec.model.arch = "mobilenet_v2";
  spec.model.width_mult = 0.35;
  spec.model.input_size = 32;
  spec.measure = {1, 2};
  spec.batch = 4;
  return spec;
}

}  // namespace edgelab::tasks::example
