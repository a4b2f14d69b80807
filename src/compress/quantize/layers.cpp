#include "compress/quantize/layers.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "kernels/attention/attention.hpp"
#include "kernels/conv2d/conv2d.hpp"
#include "kernels/linear/linear.hpp"

namespace edgelab::compress {

using graph::Graph;
using graph::Node;

std::vector<QuantizableLayer> quantizable(const Graph& layers) {
  constexpr std::string_view kWeight = ".weight";
  std::vector<QuantizableLayer> result;
  for (const Node& node : layers.nodes()) {
    const auto* conv = node.op.as<kernels::Conv2d>();
    const auto* linear = node.op.as<kernels::Linear>();
    if (conv == nullptr && linear == nullptr) continue;
    const bool has_bias = conv != nullptr ? conv->has_bias : linear->has_bias;
    const graph::Value& weight = layers.value(node.inputs[1]);
    if (!weight.known() || !weight.name.ends_with(kWeight) || (conv != nullptr && !has_bias)) continue;
    QuantizableLayer layer{weight.name.substr(0, weight.name.size() - kWeight.size()), &node, node.inputs[0], node.inputs[1], {}, weight.type.shape[1]};
    if (has_bias) layer.bias = node.inputs[2];
    layer.depthwise = conv != nullptr && conv->groups > 1;
    layer.reads_image = layers.value(node.inputs[0]).kind == graph::ValueKind::input;
    result.push_back(layer);
  }
  // What gives the logits; of two heads both.
  for (QuantizableLayer& layer : result) layer.classifies = layer.name == "classifier.1" || layer.name == "head" || layer.name == "head_dist";
  return result;
}

std::vector<const Node*> quantizable_attentions(const Graph& layers) {
  std::vector<const Node*> result;
  for (const Node& node : layers.nodes()) {
    const auto* attention = node.op.as<kernels::Attention>();
    if (attention != nullptr && !attention->causal && !attention->has_bias) result.push_back(&node);
  }
  return result;
}

void require_layers(const Graph& layers, const std::vector<std::string>& names, const std::string& key) {
  std::vector<std::string> all;
  for (const QuantizableLayer& layer : quantizable(layers)) all.push_back(layer.name);
  for (const Node* attention : quantizable_attentions(layers)) all.push_back(attention->name);
  for (const std::string& name : names) {
    if (std::ranges::find(all, name) != all.end()) continue;
    const std::string nearest = nearest_name(name, all);
    throw Error(ErrorKind::usage, key + ": the model has no layer of this name that can be quantized").got(name).expected(nearest.empty() ? "a name of edgelab model info" : "for example " + nearest);
  }
}

}  // namespace edgelab::compress
