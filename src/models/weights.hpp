#pragma once

#include <string>
#include <vector>

#include "graph/graph.hpp"
#include "models/model_weights.hpp"
#include "models/safetensors/safetensors.hpp"

namespace edgelab::models {

struct BindReport {
  int bound = 0;
  int widened = 0;                   // of those, how many came as F16 or BF16 and were widened to F32
  std::vector<std::string> ignored;  // num_batches_tracked, which inference has no use for
};

// Gives the graph's parameters and buffers the tensors of their names. Those that need no widening are views of the mapped
// file. All or nothing: if any tensor is missing, belongs to no layer or doesn't fit, the graph stays as it was and one
// Error (data) tells how many there are and, for the first ten, the tensor, what was expected and the nearest name.
BindReport bind(graph::Graph& graph, const Safetensors& file);
BindReport bind(graph::Graph& graph, const ModelWeights& weights);
// The same from a list; `place` is what errors call it.
BindReport bind(graph::Graph& graph, std::span<const NamedTensor> tensors, const std::string& place);

// The graph's bound parameters and buffers, as write_safetensors() takes them. The tensors share the graph's bytes.
std::vector<NamedTensor> named_weights(const graph::Graph& graph);

}  // namespace edgelab::models
