#pragma once

#include <cstdint>
#include <vector>

#include "parallel/link_speed.hpp"

namespace edgelab::parallel {

// What a pipeline will do, found without running it: micro-batches go through the stages, each stage and each link takes one at a time,
// and no more than `in_flight` are under way.
struct PipelineModel {
  std::vector<double> stage_ns;      // of one micro-batch
  std::vector<double> message_bytes;  // on the wire, from each stage to the next: one fewer than stages
  double answer_bytes = 0.0;         // from the last one back to the first
  Link link;                          // all are alike
  std::int64_t microbatches = 1;
  int in_flight = 1;
  std::int64_t a_call = 1;            // micro-batches that are a call
};

struct PipelineTimes {
  double total_ns = 0.0;    // first entry to last answer
  double latency_ns = 0.0;  // mean over the calls, first entry to last answer
};

// O(stages · micro-batches).
PipelineTimes simulate(const PipelineModel& model);

}  // namespace edgelab::parallel
