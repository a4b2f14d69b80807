#pragma once

#include <map>
#include <string>
#include <vector>

#include "graph/graph.hpp"

namespace edgelab::compress {

// How a weight's worth is judged.
enum class Criterion : std::uint8_t {
  magnitude,  // |w|
  taylor,     // |g · w|: what the loss would change by, to first order (Molchanov et al., CVPR 2019)
  bn_scale,   // |γ| of the batch normalisation behind a channel (Liu et al., "Network Slimming", ICCV 2017); for single weights |γ · w|
};

// Gradients of the loss by the name of their parameter, for Criterion::taylor: summed over some batches.
using Gradients = std::map<std::string, Tensor>;

// A weight that pruning may thin out: of a 1×1 or larger convolution, or of a linear layer.
struct PrunableWeight {
  std::string name, layer;
  graph::ValueId id;
  // γ of the batch normalisation that alone reads the layer's result, if there is one.
  graph::ValueId scale;
};

// All of a model, in its order, but: depthwise convolutions, which have few weights and kernels of their own; what reads the images,
// which is as small; the classifier, whose every weight decides; and the layers in `skip`, by name. Throws Error (usage) where a name
// in `skip` is no layer's.
std::vector<PrunableWeight> prunable_weights(const graph::Graph& model, const std::vector<std::string>& skip);

// The worth of each element of a bound weight. Throws Error (usage) where the criterion has nothing to judge by.
std::vector<float> importance(const graph::Graph& model, const PrunableWeight& weight, Criterion criterion, const Gradients& gradients);

}  // namespace edgelab::compress
