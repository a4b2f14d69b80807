#include "tasks/split/stage_costs.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <optional>
#include <string>

#include "core/clock.hpp"
#include "core/machine.hpp"
#include "graph/split/balance.hpp"
#include "graph/split/blocks.hpp"
#include "graph/split/cut.hpp"
#include "parallel/link_speed.hpp"
#include "parallel/numbers.hpp"
#include "parallel/together.hpp"
#include "tasks/model_setup.hpp"

namespace edgelab::tasks {
namespace {

constexpr int kRuns = 3;  // the median of each step, after one that pays for pages and threads
// Ranks that differ by less are taken for equal: measurements of one machine do.
constexpr double kSameSpeed = 1.25;
constexpr double kNotKnownBetter = 0.05;  // sums of measured times

// A plan's step has the name of the node that it works for, or of one that this stands for.
std::map<std::string, std::size_t> nodes_by_layer(const graph::Graph& graph) {
  std::map<std::string, std::size_t> nodes;
  for (std::size_t n = 0; n < graph.nodes().size(); ++n) {
    const graph::Node& node = graph.nodes()[n];
    if (node.unfused) {
      for (const graph::Node& part : node.unfused->nodes()) nodes[part.name] = n;
    }
    nodes[node.name] = n;
  }
  return nodes;
}

// What a quota leaves of the time to so many threads that work at once, on average. A rank that waits has its quota left for what comes
// next, which is then faster; a simulation of that was further from what emulated hosts did than the average is.
double share_of_processor(int threads) {
  const std::optional<CpuQuota> quota = cpu_quota();
  return quota ? std::min(1.0, quota->run_ns / (threads * quota->period_ns)) : 1.0;
}

std::vector<double> slowness_of(const std::vector<double>& totals) {
  const auto [least, most] = std::minmax_element(totals.begin(), totals.end());
  std::vector<double> slowness;
  for (const double total : totals) slowness.push_back(!(*least > 0.0) || *most < kSameSpeed * *least ? 1.0 : total / totals.front());
  return slowness;
}

}  // namespace

std::vector<double> measured_nodes(const JobSpec& spec, const graph::Graph& graph, int threads) {
  const auto executable = planned_inference(spec, graph, threads, true);
  const double share = share_of_processor(threads);
  if (share < 1.0) executable->time_steps_by(thread_cpu_ns);
  executable->run();
  const std::vector<std::int64_t> times = runtime::profile(*executable, kRuns);
  const std::map<std::string, std::size_t> nodes = nodes_by_layer(graph);
  std::vector<double> costs(graph.nodes().size(), 0.0);
  for (std::size_t step = 0; step < times.size(); ++step) {
    const auto node = nodes.find(executable->plan().steps()[step].info.name);
    costs[node == nodes.end() ? costs.size() - 1 : node->second] += static_cast<double>(times[step]) / share;  // reorders of outputs come last
  }
  return costs;
}

double cpu_ns_per_byte(const MeasuredCosts& costs) { return costs.link.cpu_ns_per_byte / 2.0 / costs.share; }

double share_of_fp32(parallel::Wire wire) {
  constexpr std::int64_t kWidth = 1024;
  return static_cast<double>(parallel::wire_bytes(wire, 1, kWidth)) / static_cast<double>(parallel::wire_bytes(parallel::Wire::fp32, 1, kWidth));
}

MeasuredCosts measure_costs(const JobSpec& spec, const graph::Graph& graph, const parallel::Communicator& communicator, int threads) {
  MeasuredCosts costs;
  parallel::together(communicator, [&] { costs.nodes = measured_nodes(spec, graph, threads); });
  costs.slowness = slowness_of(parallel::value_of_each(communicator, std::accumulate(costs.nodes.begin(), costs.nodes.end(), 0.0)));
  communicator.broadcast(std::span(costs.nodes), 0);
  costs.link = parallel::slowest_link(communicator);
  costs.share = communicator.all_reduce(share_of_processor(threads), parallel::Reduction::min);
  return costs;
}

std::vector<double> member_speeds(const Ways& ways, const std::vector<double>& slowness) {
  std::vector<double> speeds(static_cast<std::size_t>(ways.members()), 0.0);
  for (std::size_t rank = 0; rank < static_cast<std::size_t>(ways.pipeline) * speeds.size(); ++rank) speeds[rank % speeds.size()] += 1.0 / slowness[rank];
  return speeds;
}

namespace {

graph::CutCosts cut_costs(const graph::Graph& graph, const MeasuredCosts& costs, parallel::Wire wire) {
  graph::CutCosts cuts;
  for (const std::int64_t all : graph::bytes_over_cuts(graph)) {
    const double bytes = share_of_fp32(wire) * static_cast<double>(all);
    cuts.link.push_back(costs.link.ns_per_byte * bytes);
    cuts.work.push_back(cpu_ns_per_byte(costs) * bytes);
  }
  return cuts;
}

}  // namespace

std::vector<std::size_t> best_starts(const graph::Graph& graph, const MeasuredCosts& costs, parallel::Wire wire, int stages) {
  return graph::balanced_starts(costs.nodes, std::span(costs.slowness).first(static_cast<std::size_t>(stages)), cut_costs(graph, costs, wire), kNotKnownBetter);
}

std::vector<int> best_block_counts(const graph::Graph& graph, const MeasuredCosts& costs, parallel::Wire wire, int stages, int members) {
  const graph::Blocks blocks = graph::blocks_of(graph);
  const graph::CutCosts cuts = cut_costs(graph, costs, wire);
  std::vector<double> block_costs;
  graph::CutCosts block_cuts;
  const auto cut_at = [&](std::size_t node) {
    block_cuts.link.push_back(cuts.link[node]);
    block_cuts.work.push_back(cuts.work[node]);
  };
  for (std::size_t b = 0; b < blocks.first.size(); ++b) {
    const std::size_t begin = b == 0 ? 0 : blocks.first[b], end = b + 1 < blocks.first.size() ? blocks.first[b + 1] : graph.nodes().size();
    block_costs.push_back(std::accumulate(costs.nodes.begin() + static_cast<std::ptrdiff_t>(begin), costs.nodes.begin() + static_cast<std::ptrdiff_t>(end), 0.0));
    cut_at(blocks.first[b]);
  }
  cut_at(graph.nodes().size());
  std::vector<double> slowness;  // members work at once: their speeds add up
  for (int stage = 0; stage < stages; ++stage) {
    double speed = 0.0;
    for (int member = 0; member < members; ++member) speed += 1.0 / costs.slowness[static_cast<std::size_t>(stage * members + member)];
    slowness.push_back(1.0 / speed);
  }
  const std::vector<std::size_t> starts = graph::balanced_starts(block_costs, slowness, block_cuts, kNotKnownBetter);
  std::vector<int> counts;
  for (std::size_t s = 0; s < starts.size(); ++s) counts.push_back(static_cast<int>((s + 1 < starts.size() ? starts[s + 1] : block_costs.size()) - starts[s]));
  return counts;
}

}  // namespace edgelab::tasks
