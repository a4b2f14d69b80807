#pragma once

#include <cstddef>
#include <vector>

#include "graph/graph.hpp"
#include "parallel/communicator.hpp"
#include "parallel/link_speed.hpp"
#include "parallel/wire.hpp"
#include "tasks/job_spec.hpp"
#include "tasks/split/layout.hpp"

namespace edgelab::tasks {

// What a job's layers and links cost on the ranks that it got.
struct MeasuredCosts {
  std::vector<double> nodes;     // ns of each node of the graph on rank 0
  std::vector<double> slowness;  // of each rank against rank 0
  parallel::Link link;           // the slowest from a rank to the next one
  double share = 1.0;            // of the time for which a rank's processor works, where a quota holds it back: of the most held back rank
};

// Every rank times the whole graph a few times, all at once, as they will work. The same answer on all ranks. Collective. Throws Error
// as planning does, on all ranks.
MeasuredCosts measure_costs(const JobSpec& spec, const graph::Graph& graph, const parallel::Communicator& communicator, int threads);

// The first of these alone: the graph's nodes on this machine, timed by this process. Where a container's quota holds it back, by the
// processor's time, stretched: by the clock, a node that fits between two stops seems fast, and one that doesn't slow. Not collective. Throws Error as planning does.
std::vector<double> measured_nodes(const JobSpec& spec, const graph::Graph& graph, int threads);

// What a byte that a stage sends or receives costs its processor, at its average pace.
double cpu_ns_per_byte(const MeasuredCosts& costs);

// How many bytes the wire format makes of one of fp32.
double share_of_fp32(parallel::Wire wire);

// How fast each of the ranks that share layers is, for their shares of them: member m of every stage together, since all stages must
// share alike. What a member has to know of a layer hangs on whether it has a share of the layers behind, and what it hands on must be
// what the same member of the next stage expects.
std::vector<double> member_speeds(const Ways& ways, const std::vector<double>& slowness);

// Where to cut a graph into stages, one a rank; anywhere.
std::vector<std::size_t> best_starts(const graph::Graph& graph, const MeasuredCosts& costs, parallel::Wire wire, int stages);

// The same between blocks only, as counts of blocks, for stages of `members` ranks each that share their layers.
std::vector<int> best_block_counts(const graph::Graph& graph, const MeasuredCosts& costs, parallel::Wire wire, int stages, int members);

}  // namespace edgelab::tasks
