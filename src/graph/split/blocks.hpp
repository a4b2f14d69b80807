#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "graph/graph.hpp"

namespace edgelab::graph {

// The blocks that people count a network's depth in: transformer blocks ("blocks.3…") and inverted residuals ("features.3.conv…").
struct Blocks {
  std::vector<std::size_t> first;  // the first node of each block
  std::vector<int> number;         // as its layers are called, rising
  std::size_t end = 0;             // the first node behind the last one: the head
};

// By the layers' names, which passes keep; a graph without such names has no blocks.
Blocks blocks_of(const Graph& graph);

// Where stages of so many blocks each begin, for cut(): what stands before the first block goes to the first stage, what stands behind
// the last one to the last. Throws Error (usage) unless the counts add up to all blocks.
std::vector<std::size_t> starts_of(const Blocks& whole, std::span<const int> counts);
// The same cuts of a part of that graph, in which blocks may be missing that a rank has nothing to do with.
std::vector<std::size_t> starts_of(const Blocks& whole, std::span<const int> counts, const Blocks& part);

}  // namespace edgelab::graph
