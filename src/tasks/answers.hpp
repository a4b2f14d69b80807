#pragma once

#include <cstdint>
#include <vector>

#include "data/dataset.hpp"
#include "data/preprocess.hpp"
#include "runtime/executable.hpp"
#include "tasks/task.hpp"

namespace edgelab::tasks {

// What a model says to every sample of a data set, once through.
struct Answers {
  std::vector<std::int64_t> latency_ns;  // of each call
  std::vector<float> logits;             // [sample, class]
  std::vector<std::int32_t> labels;
  std::int64_t preprocess_ns = 0;  // waiting for images: what the loader did not hide behind the computation
  std::int64_t compute_ns = 0;
  std::int64_t first_ended_ns = 0;  // when the first call ended, by now_ns(); 0 if there was none
};

// This rank's contiguous shard of the samples, `batch` a call. `what` is what the progress line calls it. Not collective.
Answers answer_shard(runtime::Executable& executable, const data::Dataset& dataset, int batch, const data::PreprocessOptions& preprocess,
                     const TaskContext& context, const char* what);

// Puts the shards together on rank 0, in data-set order; elsewhere nothing is left but the times. Collective.
void gather_answers(const parallel::Communicator& communicator, Answers& answers);

}  // namespace edgelab::tasks
