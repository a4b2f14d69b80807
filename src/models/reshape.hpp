#pragma once

#include <map>
#include <string>

#include "graph/graph.hpp"
#include "models/model_weights.hpp"

namespace edgelab::models {

// A model of which channels, heads or hidden units were pruned is its architecture's graph with smaller weights. Which they are
// is what their shapes say; groups of depthwise convolutions and numbers of heads (of the same size) follow.

using Shapes = std::map<std::string, Shape>;  // by the weight's name

// The graph with these shapes of its parameters and buffers; those not named keep theirs, and none that changes stays bound.
// Throws Error (data), naming the layer, where they don't fit together.
graph::Graph reshaped(const graph::Graph& graph, const Shapes& shapes);

// The shapes of a graph's parameters and buffers.
Shapes shapes_of(const graph::Graph& graph);

// What a file says of itself if its weights are pruned to other shapes than the architecture's. Without it, a file whose shapes
// differ is one of another model, and bind() says so.
inline constexpr const char* kPrunedShapes = "edgelab.pruned_shapes";

// The graph as the file has it: reshaped to its tensors if its metadata has kPrunedShapes, else as it is. Throws Error (data) if
// the shapes don't fit together, or change what the model takes or gives.
graph::Graph with_shapes_of(const graph::Graph& graph, const ModelWeights& weights);

}  // namespace edgelab::models
