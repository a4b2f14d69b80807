#pragma once

#include <span>
#include <vector>

#include "graph/graph.hpp"
#include "models/safetensors/safetensors.hpp"

namespace edgelab::models {

// The weights of a folded model (graph::fold_weights) under the names that `architecture`, the model as written, asks for: a
// normalisation that was folded away becomes one that changes nothing but adds the bias (γ 1, μ 0, σ² 1 − ε), LayerScale becomes
// ones. So others' programs load them, and folding them again gives the same model, but for the last bit of a weight. What the
// architecture asks for and neither has is left out: bind() says so.
std::vector<NamedTensor> unfolded(const graph::Graph& architecture, std::span<const NamedTensor> folded);

}  // namespace edgelab::models
