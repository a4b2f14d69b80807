#pragma once

#include <cstdint>
#include <string_view>

#include "graph/graph.hpp"

namespace edgelab::models {

// What training from scratch begins with, as torchvision (MobileNetV2) and timm (vision transformers) have it: convolutions
// by He et al. 2015, transformers' matrices normal with a deviation of 1/√(3·inputs), embeddings of 0.02, normalisations that change
// nothing.
// The numbers depend on the seed, the weight's name and its shape alone.
Tensor initial_weight(std::string_view name, const Shape& shape, std::uint64_t seed);

// Gives all parameters and buffers their initial values.
void bind_initial(graph::Graph& graph, std::uint64_t seed);

}  // namespace edgelab::models
