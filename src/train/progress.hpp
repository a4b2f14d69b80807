#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace edgelab::train {

// One epoch, when it is over.
struct EpochSummary {
  std::int64_t epoch = 0;           // from 0
  double loss = 0.0;                // mean over its samples
  double learning_rate = 0.0;       // of its last step
  std::optional<double> top1;       // of held-out data, a fraction
  std::int64_t duration_ns = 0;
  bool operator==(const EpochSummary&) const = default;
};

// How far training has come: enough, with the state of the tensors, to go on as if it had never stopped. (Order and
// augmentations of the data follow from seed, epoch and step.)
struct Progress {
  std::int64_t steps = 0;               // done since the start of training
  std::int64_t epoch = 0, step = 0;     // the next one to do; the step counts within the epoch
  std::uint64_t seed = 0;
  double loss_sum = 0.0;                // of the epoch begun, over the samples so far
  std::int64_t loss_samples = 0;
  std::optional<double> best_metric;    // of any epoch
  std::int64_t best_steps = 0;          // `steps` when it was measured
  std::vector<EpochSummary> history;
  bool operator==(const Progress&) const = default;
};

// As one line of JSON. Numbers come back exactly; those that are not finite come back as NaN.
std::string to_json(const Progress& progress);
// Throws Error (data) unless `json` is what to_json() writes.
Progress progress_from_json(const std::string& json);

}  // namespace edgelab::train
