#pragma once

#include "graph/graph.hpp"

namespace edgelab::graph {

// Each pass makes a new graph that computes the same, within rounding. Weights must be bound where a pass folds numbers
// into them; where they are not, the pattern is left alone. Order: fold first, then fuse.

// Nodes whose inputs are all known become constants (the class and distillation tokens as one row).
Graph fold_constants(const Graph& graph);

// conv2d → batch_norm becomes one conv2d with a bias: w' = w · γ/√(σ²+ε), b' = β − μ · γ/√(σ²+ε) (+ b · γ/√(σ²+ε)).
Graph fold_batch_norm(const Graph& graph);

// linear → multiply by one known number a column (LayerScale) becomes one linear with scaled weight and bias.
Graph fold_scale(const Graph& graph);

// conv2d or linear → activation becomes one node.
Graph fuse_activation(const Graph& graph);

// conv2d or linear → add of a value of the same shape becomes one node with a residual input.
Graph fuse_residual(const Graph& graph);

// Leaves out nodes and weights that no output needs. Inputs stay.
Graph remove_dead(const Graph& graph);

// All of the above in their order: what inference runs unless a job says `graph: eager`.
Graph optimise(const Graph& graph);

}  // namespace edgelab::graph
