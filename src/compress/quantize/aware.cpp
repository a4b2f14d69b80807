#include "compress/quantize/aware.hpp"

#include <cmath>
#include <map>

#include "compress/quantize/weight_grid.hpp"
#include "graph/passes/rewrite.hpp"
#include "kernels/conv2d/conv2d.hpp"
#include "kernels/fake_quantize/fake_quantize.hpp"
#include "kernels/linear/linear.hpp"

namespace edgelab::compress {
namespace {

using graph::Graph;
using graph::LayerQuantization;
using graph::Node;
using graph::Quantization;
using graph::ValueId;
using kernels::FakeQuantize;

constexpr const char *kWeightScale = ".weight.log2_scale", *kInputScale = ".input.log2_scale";

// The layer of a node, if it is one.
const std::string* layer_of(const Graph& graph, const Node& node, const Quantization& quantization) {
  if (node.op.as<kernels::Conv2d>() == nullptr && node.op.as<kernels::Linear>() == nullptr) return nullptr;
  std::string name = graph.value(node.inputs[1]).name;
  if (!name.ends_with(".weight")) return nullptr;
  name.resize(name.size() - 7);
  const auto found = quantization.layers.find(name);
  return found == quantization.layers.end() ? nullptr : &found->first;
}

// The first layer that reads each value that goes through a grid.
std::map<ValueId, std::string> values_on_grids(const Graph& graph, const Quantization& quantization) {
  std::map<ValueId, std::string> values;
  for (const Node& node : graph.nodes()) {
    if (const std::string* layer = layer_of(graph, node, quantization)) values.try_emplace(node.inputs[0], *layer);
  }
  return values;
}

Tensor logarithms(const std::vector<float>& scales) {
  Tensor tensor(DType::f32, {static_cast<std::int64_t>(scales.size())});
  for (std::size_t i = 0; i < scales.size(); ++i) tensor.as<float>()[i] = std::log2(scales[i]);
  return tensor;
}

class Inserter {
 public:
  Inserter(const Graph& folded, const Quantization& quantization)
      : folded_(folded), quantization_(quantization), rewrite_(folded), on_grid_(values_on_grids(folded, quantization)) {}

  Graph run() {
    for (const ValueId id : folded_.weights()) rewrite_.carry(id);  // in their order, before the scales
    for (const ValueId id : folded_.inputs()) fake(id);
    for (const Node& node : folded_.nodes()) {
      const std::string* layer = layer_of(folded_, node, quantization_);
      const ValueId weight = node.inputs.size() > 1 ? node.inputs[1] : ValueId();
      const ValueId whole = layer != nullptr ? rewrite_.carry(weight) : ValueId();
      if (layer != nullptr) rewrite_.map(weight, on_grid(weight, *layer));
      rewrite_.copy(node);
      if (layer != nullptr) rewrite_.map(weight, whole);
      for (const ValueId id : node.outputs) fake(id);
    }
    return rewrite_.finish();
  }

 private:
  ValueId scale(const std::string& name, const std::vector<float>& values) {
    const Tensor data = logarithms(values);
    return rewrite_.to().parameter(name, {DType::f32, data.shape()}, data);
  }

  // Of a weight that several nodes read, once.
  ValueId on_grid(ValueId weight, const std::string& layer) {
    const auto [place, fresh] = weights_.try_emplace(weight);
    if (!fresh) return place->second;
    const LayerQuantization& entry = quantization_.layers.at(layer);
    const int most = largest_number(entry.weight_bits);
    return place->second = rewrite_.to().add(layer, FakeQuantize{0, -most, most}, {rewrite_.carry(weight), scale(layer + kWeightScale, entry.weight_scale)});
  }

  // What reads the value from now on reads it off its grid.
  void fake(ValueId value) {
    const auto found = on_grid_.find(value);
    if (found == on_grid_.end()) return;
    const graph::Grid& grid = quantization_.layers.at(found->second).input;
    rewrite_.map(value, rewrite_.to().add(found->second, FakeQuantize{grid.zero_point, 0, 255}, {rewrite_.carry(value), scale(found->second + kInputScale, {grid.scale})}));
  }

  const Graph& folded_;
  const Quantization& quantization_;
  graph::Rewrite rewrite_;
  std::map<ValueId, std::string> on_grid_;
  std::map<ValueId, ValueId> weights_;
};

}  // namespace

Graph with_fake_quantization(const Graph& folded, const Quantization& quantization) { return Inserter(folded, quantization).run(); }

Quantization learned_quantization(const Graph& trained, const Quantization& before) {
  std::map<std::string, std::vector<float>> scales;
  for (const ValueId id : trained.weights()) {
    const graph::Value& value = trained.value(id);
    if (!is_learned_scale(value.name)) continue;
    for (const float logarithm : value.data.as<float>()) scales[value.name].push_back(std::exp2(logarithm));
  }
  // Layers that read one value have one grid, which bears the name of the first.
  std::map<ValueId, std::string> first;
  Quantization result = before;
  for (const Node& node : trained.nodes()) {
    if (node.op.as<kernels::Conv2d>() == nullptr && node.op.as<kernels::Linear>() == nullptr) continue;
    const auto layer = result.layers.find(node.name);
    if (layer == result.layers.end()) continue;
    const std::string& owner = first.try_emplace(node.inputs[0], node.name).first->second;
    layer->second.input.scale = scales.at(owner + kInputScale).front();
    layer->second.weight_scale = scales.at(node.name + kWeightScale);
  }
  return result;
}

bool is_learned_scale(const std::string& parameter) { return parameter.ends_with(".log2_scale"); }

}  // namespace edgelab::compress
