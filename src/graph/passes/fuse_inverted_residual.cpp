#include <algorithm>

#include "graph/passes/fusion.hpp"
#include "graph/passes/passes.hpp"
#include "kernels/conv2d/conv2d.hpp"
#include "kernels/inverted_residual/inverted_residual.hpp"

namespace edgelab::graph {
namespace {

using kernels::ActivationKind;
using kernels::Conv2d;
using kernels::InvertedResidual;

// A convolution with a bias, and nothing between it and the next one but `activation`.
const Conv2d* convolution(const Node* node, ActivationKind activation) {
  const auto* conv = node == nullptr ? nullptr : node->op.as<Conv2d>();
  return conv != nullptr && conv->has_bias && conv->activation == activation && conv->compute == DType::f32 ? conv : nullptr;
}

bool is_pointwise(const Graph& graph, const Node& node, const Conv2d& conv) {
  const Shape& w = graph.type(node.inputs[1]).shape;
  return w[2] == 1 && w[3] == 1 && conv.stride == 1 && conv.padding == 0 && conv.groups == 1;
}

// A network's first convolution can stand where the first block has no expansion.
bool is_first(const Graph& graph, const Node& node) { return graph.value(node.inputs[0]).kind == ValueKind::input && graph.type(node.inputs[0]).shape[1] <= 4; }

bool is_depthwise(const Graph& graph, const Node& node, const Conv2d& conv) {
  const Shape& w = graph.type(node.inputs[1]).shape;
  return w[1] == 1 && w[2] == 3 && w[3] == 3 && conv.groups == w[0] && conv.padding == 1 && (conv.stride == 1 || conv.stride == 2) &&
         graph.type(node.inputs[0]).shape[1] == w[0] && !conv.has_residual;
}

// The block that ends with this node.
std::optional<Fusion> inverted_residual(const Pattern& pattern, const Node& last) {
  const Graph& graph = pattern.graph();
  const Conv2d* project = convolution(&last, ActivationKind::none);
  if (project == nullptr || !is_pointwise(graph, last, *project)) return std::nullopt;
  const Node* depthwise = pattern.only_for_us<Conv2d>(last.inputs[0]);
  const Conv2d* filter = convolution(depthwise, ActivationKind::relu6);
  if (filter == nullptr || !is_depthwise(graph, *depthwise, *filter)) return std::nullopt;
  InvertedResidual op{filter->stride, false, project->has_residual};
  const Node* expand = pattern.only_for_us<Conv2d>(depthwise->inputs[0]);
  const Conv2d* expansion = convolution(expand, ActivationKind::relu6);
  op.expand = expansion != nullptr && !expansion->has_residual && expansion->groups == 1 &&
              (is_pointwise(graph, *expand, *expansion) || is_first(graph, *expand));
  if (op.expand) op.expand_stride = expansion->stride, op.expand_padding = expansion->padding;
  std::vector<const Node*> nodes;
  if (op.expand) nodes.push_back(expand);
  nodes.insert(nodes.end(), {depthwise, &last});
  const ValueId x = nodes.front()->inputs[0];
  if (project->has_residual && last.inputs[project->residual_input()] != x) return std::nullopt;
  std::vector<ValueId> inputs = {x};
  for (const Node* node : nodes) inputs.insert(inputs.end(), {node->inputs[1], node->inputs[2]});
  return Fusion{op, inputs, nodes, common_layer(depthwise->name, last.name)};
}

}  // namespace

Graph fuse_inverted_residual(const Graph& graph) { return fuse_where(graph, inverted_residual); }

}  // namespace edgelab::graph
