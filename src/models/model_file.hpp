#pragma once

#include <cstdint>
#include <vector>

#include "graph/graph.hpp"
#include "graph/quantization.hpp"
#include "models/model.hpp"

namespace edgelab::models {

// A model as a file of its own: its weights, without their zeros where that is smaller, and in the metadata what it is (`options`)
// and whether it was pruned to other shapes than these options'.
std::vector<std::uint8_t> model_file(const graph::Graph& model, const ModelOptions& options);

// The same of a quantized model (quantized_tensors.hpp), which model_weights() reads. `model` is as written or folded, its weights on
// their grids.
std::vector<std::uint8_t> quantized_model_file(const graph::Graph& model, const ModelOptions& options, const graph::Quantization& quantization);

}  // namespace edgelab::models
