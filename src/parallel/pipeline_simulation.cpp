#include "parallel/pipeline_simulation.hpp"

#include <algorithm>

namespace edgelab::parallel {

PipelineTimes simulate(const PipelineModel& model) {
  const std::size_t stages = model.stage_ns.size();
  std::vector<double> stage_free(stages, 0.0), link_free(stages, 0.0);  // link s: behind stage s, the last one's leads back
  std::vector<double> answers;
  double call_entered = 0.0, calls = 0.0;
  PipelineTimes times;
  for (std::int64_t i = 0; i < model.microbatches; ++i) {
    double here = stage_free[0];
    if (i >= model.in_flight) here = std::max(here, answers[static_cast<std::size_t>(i - model.in_flight)]);
    if (i % model.a_call == 0) call_entered = std::max(here, stage_free[0]);
    for (std::size_t s = 0; s < stages; ++s) {
      stage_free[s] = here = std::max(here, stage_free[s]) + model.stage_ns[s];
      if (stages == 1) break;
      const double bytes = s + 1 < stages ? model.message_bytes[s] : model.answer_bytes;
      link_free[s] = here = std::max(here, link_free[s]) + bytes * model.link.ns_per_byte;
      here += model.link.latency_ns;
    }
    answers.push_back(here);
    if ((i + 1) % model.a_call != 0 && i + 1 != model.microbatches) continue;
    times.latency_ns += here - call_entered;
    ++calls;
  }
  if (!answers.empty()) times.total_ns = answers.back();
  if (calls > 0.0) times.latency_ns /= calls;
  return times;
}

}  // namespace edgelab::parallel
