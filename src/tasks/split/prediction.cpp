#include "tasks/split/prediction.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "core/error.hpp"
#include "graph/split/blocks.hpp"
#include "graph/split/cut.hpp"
#include "graph/split/part.hpp"
#include "parallel/pipeline_simulation.hpp"
#include "parallel/stage.hpp"
#include "tasks/split/micro_batches.hpp"
#include "tasks/split/part_costs.hpp"

namespace edgelab::tasks {
namespace {

std::int64_t weight_bytes(const graph::Graph& graph) {
  std::int64_t bytes = 0;
  for (const graph::ValueId id : graph.weights()) bytes += static_cast<std::int64_t>(graph.type(id).bytes());
  return bytes;
}

// The first member stands for all: it has what comes before the shared layers, too.
graph::Graph first_part(const graph::Graph& graph, const std::vector<double>& speeds, const Ways& ways) {
  if (ways.members() == 1) return graph;
  const graph::Member member{0, speeds, nullptr};
  return (ways.tensor > 1 ? graph::tensor_part(graph, member) : graph::sequence_part(graph, member)).graph;
}

// How much longer a stage's slowest member takes for its share than rank 0 would for the first one's.
double slowness_of(int stage, const std::vector<double>& speeds, const MeasuredCosts& costs) {
  double slowest = 0.0;
  for (std::size_t member = 0; member < speeds.size(); ++member) {
    slowest = std::max(slowest, costs.slowness[static_cast<std::size_t>(stage) * speeds.size() + member] * speeds[member] / speeds.front());
  }
  return slowest;
}

std::vector<std::size_t> starts_for(const graph::Graph& whole, const graph::Graph& part, const MeasuredCosts& costs, const Ways& ways, parallel::Wire wire,
                                    const std::vector<int>& partition) {
  if (ways.pipeline == 1) return {0};
  if (!partition.empty()) return graph::starts_of(graph::blocks_of(whole), partition, graph::blocks_of(part));
  if (ways.members() > 1) return graph::starts_of(graph::blocks_of(whole), best_block_counts(whole, costs, wire, ways.pipeline, ways.members()), graph::blocks_of(part));
  return best_starts(whole, costs, wire, ways.pipeline);
}

// Copies that share the samples evenly: the slowest one's time, on the ranks that are its own.
Prediction predict_copies(const graph::Graph& graph, const MeasuredCosts& costs, const Ways& ways, parallel::Wire wire, const Workload& work) {
  Ways copy = ways;
  copy.data = 1;
  Workload share = work;
  share.samples = std::max<std::int64_t>(1, (work.samples + ways.data - 1) / ways.data);
  Prediction slowest;
  std::vector<double> before;  // copies on like hosts are predicted alike
  for (int index = 0; index < ways.data; ++index) {
    const auto first = costs.slowness.begin() + index * copy.ranks();
    const MeasuredCosts own{costs.nodes, {first, first + copy.ranks()}, costs.link, costs.share};
    if (own.slowness == before) continue;
    before = own.slowness;
    const Prediction one = predict(graph, own, copy, wire, share);
    if (index == 0 || !one.refusal.empty() || one.samples_per_second < slowest.samples_per_second) slowest = one;
    if (!slowest.refusal.empty()) break;
  }
  slowest.ways = ways;
  slowest.samples_per_second *= static_cast<double>(work.samples) / static_cast<double>(share.samples);
  return slowest;
}

}  // namespace

Prediction predict(const graph::Graph& graph, const MeasuredCosts& costs, const Ways& ways, parallel::Wire wire, const Workload& work) {
  if (ways.data > 1) return predict_copies(graph, costs, ways, wire, work);
  Prediction prediction;
  prediction.ways = ways;
  prediction.partition = work.partition;
  try {
    const std::int64_t microbatch = graph.type(graph.outputs().front()).shape[0];
    const PartCosts part_costs(graph, costs, wire);
    const std::vector<double> speeds = member_speeds(ways, costs.slowness);
    const graph::Graph part = first_part(graph, speeds, ways);
    const std::vector<graph::Graph> stages = graph::cut(part, starts_for(graph, part, costs, ways, wire, work.partition));
    parallel::PipelineModel model;
    // Messages between stages travel while these compute, but for what they cost the processor at either end.
    double received = 0.0;
    for (std::size_t s = 0; s < stages.size(); ++s) {
      const Spent spent = part_costs.of(stages[s], slowness_of(static_cast<int>(s), speeds, costs));
      double sent = 0.0;
      if (s + 1 < stages.size()) {
        for (const graph::ValueId id : stages[s].outputs()) sent += static_cast<double>(parallel::wire_bytes(wire, stages[s].type(id)));
        model.message_bytes.push_back(sent);
      }
      model.stage_ns.push_back(spent.ns + cpu_ns_per_byte(costs) * (received + sent));
      if (model.stage_ns.back() > prediction.slowest_stage_ns) prediction.slowest_stage_ns = model.stage_ns.back(), prediction.message_ns = spent.message_ns;
      prediction.wire_bytes += spent.bytes + ways.members() * sent;
      prediction.weight_bytes = std::max(prediction.weight_bytes, weight_bytes(stages[s]));
      received = sent;
    }
    model.answer_bytes = static_cast<double>(graph.type(graph.outputs().front()).bytes());
    if (ways.pipeline > 1) prediction.wire_bytes += model.answer_bytes;
    model.link = costs.link;
    const MicroBatches batches(work.samples, work.batch, static_cast<int>(microbatch));
    model.microbatches = batches.count();
    model.a_call = batches.parts();
    model.in_flight = parallel::Stage::most_in_flight(ways.pipeline);
    const parallel::PipelineTimes times = parallel::simulate(model);
    prediction.latency_ns = times.latency_ns;
    prediction.samples_per_second = 1e9 * static_cast<double>(work.samples) / std::max(times.total_ns, 1.0);
  } catch (const Error& error) {
    prediction.refusal = error.what();
  }
  return prediction;
}

std::vector<Ways> layouts_for(int ranks) {
  constexpr int kEveryCountUpTo = 8, kMostMembers = 16;
  std::vector<int> counts;
  for (int count = 1; count <= std::min(ranks, kEveryCountUpTo); ++count) counts.push_back(count);
  for (int count = 2 * kEveryCountUpTo; count < ranks; count *= 2) counts.push_back(count);
  if (ranks > kEveryCountUpTo) counts.push_back(ranks);
  std::vector<Ways> layouts = {{}};
  for (const int count : counts) {
    for (int stages = 1; count > 1 && stages <= count; ++stages) {
      if (count % stages != 0) continue;
      const int members = count / stages;
      if (count > kEveryCountUpTo && members > kMostMembers) continue;
      if (members == 1) {
        layouts.push_back({.pipeline = stages});
      } else {
        layouts.push_back({.pipeline = stages, .tensor = members});
        layouts.push_back({.pipeline = stages, .sequence = members});
      }
    }
  }
  return layouts;
}

Objective objective_of(const JobSpec& spec) { return spec.task == Task::infer ? Objective::latency : Objective::throughput; }

std::size_t best_of(const std::vector<Prediction>& predictions, Objective objective) {
  constexpr double kAsGood = 1.01;
  const auto cost = [&](const Prediction& p) { return objective == Objective::latency ? p.latency_ns : 1.0 / p.samples_per_second; };
  std::size_t best = 0;
  for (std::size_t i = 1; i < predictions.size(); ++i) {
    const Prediction &challenger = predictions[i], &holder = predictions[best];
    if (!challenger.refusal.empty()) continue;
    const bool better = kAsGood * cost(challenger) < cost(holder);
    const bool as_good_with_fewer = cost(challenger) <= cost(holder) && challenger.ways.ranks() < holder.ways.ranks();
    if (!holder.refusal.empty() || better || as_good_with_fewer) best = i;
  }
  return best;
}

namespace {

std::string figures(const Prediction& p, Objective objective) {
  return objective == Objective::latency ? fmt::format("{:.1f} ms", p.latency_ns / 1e6) : fmt::format("{:.1f} samples/s", p.samples_per_second);
}

const char* family_of(const Ways& ways) {
  if (ways.tensor > 1) return ways.pipeline > 1 ? "pipeline × tensor" : "tensor";
  if (ways.sequence > 1) return ways.pipeline > 1 ? "pipeline × sequence" : "sequence";
  return ways.pipeline > 1 ? "pipeline" : "one rank";
}

// The largest thing that keeps a layout from being better.
std::string loss_of(const Prediction& p, Objective objective) {
  if (p.message_ns > 0.3 * p.slowest_stage_ns) return fmt::format("of {:.1f} ms in its slowest stage {:.1f} are messages", p.slowest_stage_ns / 1e6, p.message_ns / 1e6);
  if (objective == Objective::latency && p.ways.pipeline > 1) return "stages shorten no single sample's way";
  if (p.ways.members() > 1) return "what the ranks share is not all of the work";
  return p.ways.pipeline > 1 ? "its stages or links are less even" : "nothing is done at once";
}

}  // namespace

std::string reason_for(const std::vector<Prediction>& predictions, std::size_t best, Objective objective) {
  std::string text = name_of(predictions[best].ways) + " is predicted to be best, " + figures(predictions[best], objective);
  std::map<std::string, std::vector<Prediction>> families;
  for (const Prediction& each : predictions) families[family_of(each.ways)].push_back(each);
  families.erase(family_of(predictions[best].ways));
  for (const auto& [family, members] : families) {
    const Prediction& other = members[best_of(members, objective)];
    if (other.refusal.empty()) {
      text += fmt::format("; {} {}, since {}", name_of(other.ways), figures(other, objective), loss_of(other, objective));
    } else {
      text += "; " + family + " can't be";
    }
  }
  return text;
}

std::string name_of(const Ways& ways) {
  std::string name = ways.data > 1 ? "data over " + std::to_string(ways.data) : "";
  const auto add = [&](const char* what, int count) {
    if (count > 1) name += (name.empty() ? "" : " × ") + std::string(what) + " over " + std::to_string(count);
  };
  if (ways.pipeline > 1) name += (name.empty() ? "" : " × ") + std::string("pipeline of ") + std::to_string(ways.pipeline);
  add("tensor", ways.tensor);
  add("sequence", ways.sequence);
  return name.empty() ? "one rank" : name;
}

std::string name_of(const Prediction& prediction) {
  return name_of(prediction.ways) + (prediction.partition.empty() ? "" : fmt::format(" as [{}]", fmt::join(prediction.partition, ", ")));
}

}  // namespace edgelab::tasks
