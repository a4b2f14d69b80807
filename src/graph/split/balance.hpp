#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace edgelab::graph {

// Of sending what goes over a cut in front of each node, in the nodes' unit: [nodes + 1] each, or empty for nothing.
struct CutCosts {
  std::vector<double> link;  // while both stages compute
  std::vector<double> work;  // of a stage itself, at either side
};

// Where to cut a chain of nodes into stages so that the slowest stage or link is as fast as can be, for cut(): the cost of a stage is
// the sum of its nodes' and of its cuts' work times its slowness, the cost of a link that of the cut. Exact, by dynamic programming (O(stages · nodes²)).
// `node_costs`: [nodes], any unit. `slowness`: [stages], 1 where costs were measured, 2 where all takes twice as long.
// `cuts`: of cutting in front of each node.
// Among cuts that are as good, or worse by `slack` (a share) at most, the one with the least sum of link costs: times that were measured
// are not known better, and a cut through a block's middle sends several times what one behind it does. There may be more stages than nodes: some stay empty.
std::vector<std::size_t> balanced_starts(std::span<const double> node_costs, std::span<const double> slowness, const CutCosts& cuts = {}, double slack = 0.0);

// The cost of the slowest stage or link.
double bottleneck(std::span<const std::size_t> starts, std::span<const double> node_costs, std::span<const double> slowness, const CutCosts& cuts = {});

}  // namespace edgelab::graph
