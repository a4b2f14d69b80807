#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "graph/graph.hpp"
#include "parallel/wire.hpp"
#include "tasks/split/layout.hpp"
#include "tasks/split/stage_costs.hpp"

namespace edgelab::tasks {

// What a layout will do, found without running it: layers cost what they were measured to cost, in the share that a rank has of their
// operations; messages what their bytes cost on the link. Kernels on small shares are less efficient than that, ranks wait for one
// another: it is a bound more than a promise.
struct Prediction {
  Ways ways;
  std::vector<int> partition;    // blocks of each stage where the job says so; else the cut is the best one
  std::string refusal;           // why it can't be; the rest is empty then
  double latency_ns = 0.0;       // of a call, while others are in flight
  double samples_per_second = 0.0;
  double message_ns = 0.0;       // of a micro-batch's latency, what messages between ranks of one stage take in the slowest stage
  double slowest_stage_ns = 0.0;
  double wire_bytes = 0.0;       // a micro-batch, sent by all ranks together
  std::int64_t weight_bytes = 0;  // of the rank that holds the most, in the model's own types
};

// What a model is to do: `samples` in calls of `batch`, and these in micro-batches of as many as the graph takes.
struct Workload {
  std::int64_t samples = 1;
  int batch = 1;
  std::vector<int> partition = {};  // blocks of each stage, or as is best
};

// `costs` knows as many ranks as the layout has at least.
Prediction predict(const graph::Graph& graph, const MeasuredCosts& costs, const Ways& ways, parallel::Wire wire, const Workload& work);

// Pipelines, tensor and sequence parallel, and products of a pipeline with one of the others, that use `ranks` or fewer; first one rank.
// Up to eight ranks all there are, beyond that doubled counts, and no more than 16 that share layers.
std::vector<Ways> layouts_for(int ranks);

enum class Objective { latency, throughput };
// `infer` asks for latency, `evaluate` for throughput.
Objective objective_of(const JobSpec& spec);

// The index of the best that is possible; among equals (to a hundredth) the one with the fewest ranks.
std::size_t best_of(const std::vector<Prediction>& predictions, Objective objective);

// Why the best is: what it is predicted to do, and in half a sentence each what the best of the other strategies lose by.
std::string reason_for(const std::vector<Prediction>& predictions, std::size_t best, Objective objective);

// "pipeline of 4", "tensor over 2", "pipeline of 2 × sequence over 3", "one rank"
std::string name_of(const Ways& ways);
// The same, and the cut where the job says it: "pipeline of 4 as [3, 3, 3, 3]".
std::string name_of(const Prediction& prediction);

}  // namespace edgelab::tasks
