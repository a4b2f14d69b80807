#pragma once

#include "graph/graph.hpp"

namespace edgelab::train {

// A differentiated graph with fewer passes over memory; it computes the same:
//   linear → add of a residual branch           one linear with a residual
//   linear_backward_data → activation_backward  one linear_backward_data through the activation
//   layer_norm_backward → add                   one layer_norm_backward with an addend: where a residual branch begins
// Only where nothing else reads what lies between.
graph::Graph fuse_gradients(const graph::Graph& differentiated);

}  // namespace edgelab::train
