#pragma once

#include "models/model.hpp"
#include "tasks/model_setup.hpp"

// What a Training of `task: quantize` works with.
namespace edgelab::tasks {

// A quantized model, bound as written, as it is trained (compress/quantize/aware.hpp).
graph::Graph graph_for_integers(const graph::Graph& model, const graph::Quantization& quantization);

// What training made of that graph, as written for `batch` images: weights on their grids, and the grids. The batch statistics of
// normalisations are no part of it: they were folded in before.
BoundModel finished_for_integers(const graph::Graph& trained, const graph::Quantization& before, const models::ModelOptions& options, std::int64_t batch);

// The model as written with the weights of a folded one.
graph::Graph with_folded_weights(std::span<const models::NamedTensor> folded, const models::ModelOptions& options, std::int64_t batch);

}  // namespace edgelab::tasks
