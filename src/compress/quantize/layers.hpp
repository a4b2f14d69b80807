#pragma once

#include <string>
#include <vector>

#include "graph/graph.hpp"

namespace edgelab::compress {

// A convolution or linear layer that integers can stand for.
struct QuantizableLayer {
  std::string name;
  const graph::Node* node = nullptr;
  graph::ValueId input, weight, bias;  // bias: invalid if there is none
  std::int64_t inputs = 0;             // channels that the weight reads: of a group
  bool depthwise = false, reads_image = false, classifies = false;
};

// Of a graph of graph::quantizable_layers, whose weights are bound, in its order. Pointers into the graph.
std::vector<QuantizableLayer> quantizable(const graph::Graph& layers);

// Its attentions, as integers take them.
std::vector<const graph::Node*> quantizable_attentions(const graph::Graph& layers);

// Throws Error (usage), with the nearest name, for a name that is no layer's.
void require_layers(const graph::Graph& layers, const std::vector<std::string>& names, const std::string& key);

}  // namespace edgelab::compress
