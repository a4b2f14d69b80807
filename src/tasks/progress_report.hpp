#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace edgelab::tasks {

// How far a job is, for whoever watches it. What can't be said is left out.
struct ProgressReport {
  double fraction = 0;              // done, in [0, 1], of what it does now: a job of several parts may begin again at 0
  std::string text;                 // what is being done
  std::optional<double> loss = {};  // of the last step
  std::optional<double> samples_per_second = {};  // of late
  std::optional<std::int64_t> left_ns = {};       // until the job's end, where the task knows better than the fraction
};

}  // namespace edgelab::tasks
