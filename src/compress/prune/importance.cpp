#include "compress/prune/importance.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "core/error.hpp"
#include "graph/passes/fusion.hpp"
#include "kernels/batch_norm/batch_norm.hpp"
#include "kernels/conv2d/conv2d.hpp"
#include "kernels/linear/linear.hpp"

namespace edgelab::compress {
namespace {

using graph::Graph;
using graph::Node;
using graph::ValueId;

bool reads_images(const Graph& model, const Node& node) { return model.value(node.inputs[0]).kind == graph::ValueKind::input; }

bool gives_result(const Graph& model, const Node& node) {
  // A classifier's width is the number of classes, that of the model's result.
  return node.op.as<kernels::Linear>() != nullptr && model.type(node.outputs[0]).shape == model.type(model.outputs().front()).shape;
}

bool may_be_pruned(const Graph& model, const Node& node) {
  if (node.inputs.size() < 2 || model.value(node.inputs[1]).kind != graph::ValueKind::parameter || reads_images(model, node)) return false;
  const auto* conv = node.op.as<kernels::Conv2d>();
  return conv != nullptr ? conv->groups == 1 : node.op.as<kernels::Linear>() != nullptr && !gives_result(model, node);
}

}  // namespace

std::vector<PrunableWeight> prunable_weights(const Graph& model, const std::vector<std::string>& skip) {
  const graph::Pattern pattern(model);
  std::vector<PrunableWeight> list;
  std::set<std::string> layers;
  for (const Node& node : model.nodes()) {
    layers.insert(node.name);
    if (!may_be_pruned(model, node) || std::find(skip.begin(), skip.end(), node.name) != skip.end()) continue;
    const Node* norm = pattern.reader<kernels::BatchNorm>(node);
    list.push_back({model.value(node.inputs[1]).name, node.name, node.inputs[1], norm == nullptr ? ValueId{} : norm->inputs[1]});
  }
  for (const std::string& name : skip) {
    if (layers.contains(name)) continue;
    const std::string nearest = nearest_name(name, {layers.begin(), layers.end()});
    throw Error(ErrorKind::usage, "the model has no layer \"" + name + "\" to skip").hint(nearest.empty() ? "" : "did you mean \"" + nearest + "\"?");
  }
  return list;
}

std::vector<float> importance(const Graph& model, const PrunableWeight& weight, Criterion criterion, const Gradients& gradients) {
  Tensor data = model.value(weight.id).data;
  const auto values = data.as<float>();
  std::vector<float> worth(values.size());
  std::transform(values.begin(), values.end(), worth.begin(), [](float value) { return std::abs(value); });
  if (criterion == Criterion::taylor) {
    const auto found = gradients.find(weight.name);
    if (found == gradients.end()) throw Error(ErrorKind::usage, "no gradient to judge " + weight.name + " by").hint("its layer does not train: change finetune.trainable, or skip the layer");
    Tensor gradient = found->second;
    const auto slopes = gradient.as<float>();
    for (std::size_t i = 0; i < worth.size(); ++i) worth[i] *= std::abs(slopes[i]);
  }
  if (criterion == Criterion::bn_scale) {
    if (!weight.scale.valid()) throw Error(ErrorKind::usage, "no batch normalisation to judge " + weight.name + " by").hint("say method: magnitude or taylor");
    Tensor scale = model.value(weight.scale).data;
    const auto gammas = scale.as<float>();
    const std::size_t columns = worth.size() / gammas.size();
    for (std::size_t i = 0; i < worth.size(); ++i) worth[i] *= std::abs(gammas[i / columns]);
  }
  return worth;
}

}  // namespace edgelab::compress
