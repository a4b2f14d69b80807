#include "train/lora.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "core/error.hpp"
#include "core/random.hpp"
#include "graph/passes/rewrite.hpp"
#include "kernels/binary/binary.hpp"
#include "kernels/linear/linear.hpp"

namespace edgelab::train {

namespace {

using graph::Graph;
using graph::Node;
using graph::ValueId;
using kernels::Binary;
using kernels::Linear;

// The constant by which a layer's product is scaled bears this name.
std::string scale_name(const std::string& layer) { return layer + ".lora_scale"; }

bool names_layer(const std::string& target, const std::string& layer) {
  return layer == target || (layer.ends_with(target) && layer[layer.size() - target.size() - 1] == '.');
}

void require_targets(const Graph& model, const std::vector<std::string>& targets) {
  std::vector<std::string> layers;
  for (const Node& node : model.nodes()) {
    if (node.op.as<Linear>() != nullptr) layers.push_back(node.name);
  }
  for (const std::string& target : targets) {
    if (std::any_of(layers.begin(), layers.end(), [&](const std::string& layer) { return names_layer(target, layer); })) continue;
    throw Error(ErrorKind::usage, "lora.targets: the model has no linear layer of this name")
        .got(target)
        .expected(layers.empty() ? "nothing: the model has none at all" : fmt::format("the end of a name such as {}", fmt::join(std::span(layers).first(std::min<std::size_t>(layers.size(), 4)), ", ")));
  }
}

Tensor drawn(const std::string& name, const Shape& shape, std::uint64_t seed) {
  Tensor tensor(DType::f32, shape);
  CounterRandom random(stream_key(seed, name));
  const float bound = 1.0f / std::sqrt(static_cast<float>(shape[1]));
  for (float& value : tensor.as<float>()) value = random.uniform(-bound, bound);
  return tensor;
}

ValueId add_adapter(Graph& to, const std::string& layer, ValueId x, ValueId y, const LoraSettings& settings, std::uint64_t seed) {
  const std::int64_t inputs = to.type(x).shape.back(), outputs = to.type(y).shape.back();
  const Shape down{settings.rank, inputs}, up{outputs, settings.rank};
  const std::string a_name = layer + ".lora_A.weight";
  const ValueId a = to.parameter(a_name, {DType::f32, down}, drawn(a_name, down, seed));
  const ValueId b = to.parameter(layer + ".lora_B.weight", {DType::f32, up}, Tensor(DType::f32, up));
  Tensor factor(DType::f32, {1});
  factor.as<float>()[0] = static_cast<float>(settings.alpha / settings.rank);
  const ValueId low = to.add(layer + ".lora_A", Linear{}, {x, a});
  // Scaled where it is narrowest.
  const ValueId scaled = to.add(layer + ".lora_scale", Binary{Binary::Kind::multiply}, {low, to.constant(scale_name(layer), factor)});
  const ValueId change = to.add(layer + ".lora_B", Linear{}, {scaled, b});
  return to.add(layer + ".lora", Binary{Binary::Kind::add}, {y, change});
}

// w + b · a · scale.
Tensor merged(const Tensor& weight, const Tensor& a, const Tensor& b, double scale) {
  Tensor result = weight.clone();
  const auto w = result.as<float>();
  const auto down = a.as<float>(), up = b.as<float>();
  const auto inputs = static_cast<std::size_t>(a.shape()[1]), rank = static_cast<std::size_t>(a.shape()[0]);
  for (std::size_t o = 0; o < w.size() / inputs; ++o) {
    for (std::size_t i = 0; i < inputs; ++i) {
      double sum = 0.0;
      for (std::size_t r = 0; r < rank; ++r) sum += static_cast<double>(up[o * rank + r]) * static_cast<double>(down[r * inputs + i]);
      w[o * inputs + i] = static_cast<float>(static_cast<double>(w[o * inputs + i]) + scale * sum);
    }
  }
  return result;
}

}  // namespace

Graph add_lora(const Graph& model, const LoraSettings& settings, std::uint64_t seed) {
  require_targets(model, settings.targets);
  graph::Rewrite rewrite(model);
  for (const Node& node : model.nodes()) {
    rewrite.copy(node);
    const bool chosen = node.op.as<Linear>() != nullptr &&
                        std::any_of(settings.targets.begin(), settings.targets.end(), [&](const std::string& target) { return names_layer(target, node.name); });
    if (!chosen) continue;
    const ValueId y = rewrite.carry(node.outputs[0]);
    rewrite.map(node.outputs[0], add_adapter(rewrite.to(), node.name, rewrite.carry(node.inputs[0]), y, settings, seed));
  }
  return rewrite.finish();
}

Graph merge_lora(const Graph& adapted, const Graph& model) {
  std::map<std::string, Tensor> tensors;
  for (const graph::Value& value : adapted.values()) {
    if (value.known()) tensors.emplace(value.name, value.data);
  }
  Graph result = model;
  for (const ValueId id : result.weights()) {
    const std::string& name = result.value(id).name;
    const Tensor& weight = tensors.at(name);
    const std::string layer = name.substr(0, name.rfind('.'));
    const auto a = tensors.find(layer + ".lora_A.weight");
    if (!name.ends_with(".weight") || a == tensors.end()) {
      result.bind(id, weight);
    } else {
      const double scale = static_cast<double>(tensors.at(scale_name(layer)).as<float>()[0]);
      result.bind(id, merged(weight, a->second, tensors.at(layer + ".lora_B.weight"), scale));
    }
  }
  return result;
}

}  // namespace edgelab::train
