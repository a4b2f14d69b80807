#include "models/reshape.hpp"

#include "core/error.hpp"
#include "graph/passes/rewrite.hpp"
#include "kernels/attention/attention.hpp"
#include "kernels/conv2d/conv2d.hpp"

namespace edgelab::models {
namespace {

using graph::Graph;
using graph::Node;
using graph::Value;
using graph::ValueId;
using graph::ValueKind;

// The op for inputs of other widths: depthwise stays depthwise, and heads keep their size.
graph::Op fitted(const Graph& from, const Node& node, const Graph& to, const std::vector<ValueId>& inputs) {
  if (const auto* conv = node.op.as<kernels::Conv2d>(); conv != nullptr && conv->groups > 1 && from.type(node.inputs[1]).shape[1] == 1) {
    kernels::Conv2d depthwise = *conv;
    depthwise.groups = static_cast<int>(to.type(inputs[1]).shape[0]);
    return depthwise;
  }
  if (const auto* attention = node.op.as<kernels::Attention>()) {
    kernels::Attention fewer = *attention;
    const std::int64_t head = from.type(node.inputs[0]).shape.back() / attention->heads, width = to.type(inputs[0]).shape.back();
    if (width % head == 0) fewer.heads = static_cast<int>(width / head);
    return fewer;
  }
  return node.op;
}

}  // namespace

Graph reshaped(const Graph& graph, const Shapes& shapes) {
  graph::Rewrite rewrite(graph);
  // All weights at once, so that their order stays.
  for (const ValueId id : graph.weights()) {
    const Value& value = graph.value(id);
    const auto found = shapes.find(value.name);
    if (found == shapes.end() || found->second == value.type.shape) {
      rewrite.carry(id);
      continue;
    }
    const graph::TensorType type{value.type.dtype, found->second};
    rewrite.map(id, value.kind == ValueKind::buffer ? rewrite.to().buffer(value.name, type) : rewrite.to().parameter(value.name, type));
  }
  for (const Node& node : graph.nodes()) {
    const std::vector<ValueId> inputs = rewrite.carry(node.inputs);
    rewrite.copy(node, fitted(graph, node, rewrite.to(), inputs));
  }
  return rewrite.finish();
}

Shapes shapes_of(const Graph& graph) {
  Shapes shapes;
  for (const ValueId id : graph.weights()) shapes.emplace(graph.value(id).name, graph.type(id).shape);
  return shapes;
}

Graph with_shapes_of(const Graph& graph, const ModelWeights& weights) {
  if (!weights.metadata.contains(kPrunedShapes)) return graph;
  Shapes shapes;
  for (const NamedTensor& item : weights.tensors) shapes.emplace(item.name, item.tensor.shape());
  Graph result = reshaped(graph, shapes);
  for (std::size_t i = 0; i < graph.outputs().size(); ++i) {
    const Shape &was = graph.type(graph.outputs()[i]).shape, &is = result.type(result.outputs()[i]).shape;
    if (was == is) continue;
    throw Error(ErrorKind::data, "the pruned model's result has another shape than the model's").at({weights.place}).got(is.text()).expected(was.text()).hint("check model.classes");
  }
  return result;
}

}  // namespace edgelab::models
