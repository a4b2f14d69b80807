#include "parallel/pipeline_simulation.hpp"

#include <algorithm>
#include <cmath>
#include <span>

namespace edgelab::parallel {

namespace {

// A stage's ranks, each with a processor of its own.
class StageRanks {
 public:
  StageRanks(const std::vector<PipelineModel::Segment>& segments, std::span<const Pace> paces, std::size_t first_rank) : segments_(segments) {
    const bool held_back = std::ranges::any_of(paces, &Pace::held_back);
    if (!held_back) {  // then only the sum counts
      PipelineModel::Segment sum;
      for (const auto& segment : segments_) sum.compute_ns += segment.compute_ns, sum.exchange_ns += segment.exchange_ns;
      segments_ = {sum};
      ranks_.emplace_back(Pace{});
      return;
    }
    // Hosts' periods begin when they will: the golden section spreads them, and gives the same at every call.
    constexpr double kGolden = 0.6180339887498949;
    for (std::size_t i = 0; i < paces.size(); ++i) {
      double whole = 0.0;
      ranks_.emplace_back(paces[i], paces[i].period_ns * std::modf(kGolden * static_cast<double>(first_rank + i), &whole));
    }
  }

  double finish(double begin) {
    for (const PipelineModel::Segment& segment : segments_) {
      double slowest = begin;
      for (PacedProcessor& rank : ranks_) slowest = std::max(slowest, rank.finish(begin, segment.compute_ns));
      begin = slowest + segment.exchange_ns;
    }
    return begin;
  }

 private:
  std::vector<PipelineModel::Segment> segments_;
  std::vector<PacedProcessor> ranks_;
};

std::vector<StageRanks> ranks_of_stages(const PipelineModel& model) {
  const std::size_t members = model.paces.size() / model.stages.size();
  std::vector<StageRanks> stages;
  for (std::size_t s = 0; s < model.stages.size(); ++s) stages.emplace_back(model.stages[s], std::span(model.paces).subspan(s * members, members), s * members);
  return stages;
}

}  // namespace

PipelineTimes simulate(const PipelineModel& model) {
  const std::size_t stages = model.stages.size();
  std::vector<StageRanks> ranks = ranks_of_stages(model);
  std::vector<double> stage_free(stages, 0.0), link_free(stages, 0.0);  // link s: behind stage s, the last one's leads back
  std::vector<double> answers;
  double call_entered = 0.0, calls = 0.0;
  PipelineTimes times;
  for (std::int64_t i = 0; i < model.microbatches; ++i) {
    double here = stage_free[0];
    if (i >= model.in_flight) here = std::max(here, answers[static_cast<std::size_t>(i - model.in_flight)]);
    if (i % model.a_call == 0) call_entered = std::max(here, stage_free[0]);
    for (std::size_t s = 0; s < stages; ++s) {
      stage_free[s] = here = ranks[s].finish(std::max(here, stage_free[s]));
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
