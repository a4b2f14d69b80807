#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "graph/graph.hpp"

namespace edgelab::train {

// What the backward pass computes again from its inputs instead of keeping it from the forward pass: time for memory.
enum class Recompute : std::uint8_t {
  nothing,
  cheap,   // normalisations and activations: one pass over memory each
  blocks,  // all but what runs from block to block (Chen et al. 2016): about one forward pass more
};

struct Differentiated {
  // The forward nodes as they were, then the backward ones. Outputs: those of the forward graph, then the gradients of
  // `wanted` in their order, each of its parameter's type.
  graph::Graph graph;
  std::size_t first_gradient = 0;  // among the outputs
};

// Reverse-mode differentiation of the sum of all losses (the softmax_cross_entropy nodes of the graph) with respect to
// `wanted`, which are parameters or inputs. Each op's rule is in train/gradients. Parameters need no data.
//
// `given`: values whose gradient is more than what this graph's losses make of them, because others compute on with them (a later stage
// of a pipeline). That part becomes inputs of the graph, behind its own, in this order.
//
// Throws Error (data): an op on the way has no rule or can't be differentiated as it is set (fused ones are not: differentiate
// before fusing), or no loss depends on a value that is wanted.
Differentiated differentiate(const graph::Graph& forward, std::span<const graph::ValueId> wanted, Recompute recompute = Recompute::nothing,
                             std::span<const graph::ValueId> given = {});

}  // namespace edgelab::train
