#include "graph/passes/fusion.hpp"
#include "graph/passes/passes.hpp"
#include "kernels/layer_norm/layer_norm.hpp"
#include "kernels/layer_norm_linear/layer_norm_linear.hpp"
#include "kernels/linear/linear.hpp"

namespace edgelab::graph {
namespace {

using kernels::LayerNorm;
using kernels::LayerNormLinear;
using kernels::Linear;

std::optional<Fusion> layer_norm_linear(const Pattern& pattern, const Node& last) {
  const auto* linear = last.op.as<Linear>();
  if (linear == nullptr || linear->has_residual || !pattern.graph().value(last.inputs[1]).known()) return std::nullopt;
  const Node* norm = pattern.only_for_us<LayerNorm>(last.inputs[0]);
  if (norm == nullptr) return std::nullopt;
  LayerNormLinear fused;
  fused.epsilon = norm->op.as<LayerNorm>()->epsilon;
  fused.has_bias = linear->has_bias;
  fused.activation = linear->activation;
  fused.compute = linear->compute;
  std::vector<ValueId> inputs = norm->inputs;
  inputs.insert(inputs.end(), last.inputs.begin() + 1, last.inputs.end());
  return Fusion{fused, inputs, {norm, &last}};
}

}  // namespace

Graph fuse_layer_norm_linear(const Graph& graph) { return fuse_where(graph, layer_norm_linear); }

}  // namespace edgelab::graph
