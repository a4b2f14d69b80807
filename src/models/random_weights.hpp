#pragma once

#include <cstdint>
#include <string_view>

#include "core/tensor.hpp"
#include "graph/graph.hpp"

namespace edgelab::models {

// Gives every parameter and buffer of the graph random values. A value depends on the seed, the weight's name and its index
// alone: the same on any rank, whatever part of the model the rank holds, and with any number of threads.
//
// The scales keep activations of every architecture here within a few units of 1 through all layers, and leave no weight
// at a value (0, 1) that would hide a layer left out:
//   matrices N(0, 1/K), convolutions N(0, 2/K) with K inputs to each output (Glorot and Bengio 2010, He et al. 2015);
//   norm weights and LayerScale 1 + 0.1 N; biases and running means 0.1 N; running variances 1 + 0.5 U[0, 1);
//   tokens and position embeddings 0.2 N.
// Throws Error (data) if a weight of the graph is not f32.
void bind_random(graph::Graph& graph, std::uint64_t seed, int threads = 1);

// The values of one weight.
Tensor random_weight(std::string_view name, const Shape& shape, std::uint64_t seed, int threads = 1);

}  // namespace edgelab::models
