#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "graph/graph.hpp"

// Pipeline: consecutive nodes of a graph are a stage.
namespace edgelab::graph {

// The graph's nodes as a graph a stage: stage s has the nodes from starts[s] up to the next one's. Its inputs are what it or a later
// stage needs of what came before, its outputs what later ones need, in one order: so a stage's outputs are the next one's inputs, and
// a value that skips stages goes through them. The first takes the graph's inputs, the last gives its outputs. A stage may have no
// nodes. Stages hold the weights that their nodes read, and no others.
// Throws Error (usage) unless starts begin with 0, don't fall, and end with the number of nodes at most.
std::vector<Graph> cut(const Graph& graph, std::span<const std::size_t> starts);

// What goes over a cut in front of node `start`: given or computed before, read behind (or an output), in one order.
std::vector<ValueId> values_over(const Graph& graph, std::size_t start);

// Bytes of what goes over a cut in front of each node, and behind the last one (the outputs): nodes + 1 numbers.
std::vector<std::int64_t> bytes_over_cuts(const Graph& graph);

}  // namespace edgelab::graph
