#pragma once

#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "models/safetensors/safetensors.hpp"
#include "tasks/task.hpp"

namespace edgelab::tasks::example {

// What a job that makes weights leaves behind: its record, and the model file on rank 0.
struct Outcome {
  results::JobRecord record;
  std::vector<std::uint8_t> weights;
};

inline Outcome run(const JobSpec& spec, const parallel::Communicator& communicator, int threads = 1) {
  TaskContext context{communicator, threads, {}, {}, true, {}, {}, {}};
  Outcome outcome;
  outcome.record = run_task(spec, context);
  outcome.weights = std::move(context.made_weights);
  return outcome;
}

inline models::Safetensors opened(const std::vector<std::uint8_t>& file) {
  auto bytes = std::make_shared<std::vector<std::uint8_t>>(file);
  return models::Safetensors::of_bytes(std::as_writable_bytes(std::span(*bytes)), bytes, "weights");
}

}  // namespace edgelab::tasks::example
