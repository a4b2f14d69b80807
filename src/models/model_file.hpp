#pragma once

#include <cstdint>
#include <vector>

#include "graph/graph.hpp"
#include "models/model.hpp"

namespace edgelab::models {

// A model as a file of its own: its weights, without their zeros where that is smaller, and in the metadata what it is (`options`)
// and whether it was pruned to other shapes than these options'.
std::vector<std::uint8_t> model_file(const graph::Graph& model, const ModelOptions& options);

}  // namespace edgelab::models
