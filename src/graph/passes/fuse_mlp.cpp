#include "graph/passes/fusion.hpp"
#include "graph/passes/passes.hpp"
#include "kernels/layer_norm/layer_norm.hpp"
#include "kernels/linear/linear.hpp"
#include "kernels/mlp/mlp.hpp"

namespace edgelab::graph {
namespace {

using kernels::ActivationKind;
using kernels::LayerNorm;
using kernels::Linear;
using kernels::Mlp;

bool known_weight(const Pattern& pattern, const Node& linear) { return pattern.graph().value(linear.inputs[1]).known(); }

// x → layer_norm → linear, activation → linear, + x
std::optional<Fusion> mlp(const Pattern& pattern, const Node& last) {
  const auto* down = last.op.as<Linear>();
  if (down == nullptr || !down->has_bias || !down->has_residual || down->activation != ActivationKind::none) return std::nullopt;
  const Node* first = pattern.only_for_us<Linear>(last.inputs[0]);
  if (first == nullptr) return std::nullopt;
  const auto* up = first->op.as<Linear>();
  if (!up->has_bias || up->has_residual || up->compute != down->compute) return std::nullopt;
  const Node* norm = pattern.only_for_us<LayerNorm>(first->inputs[0]);
  if (norm == nullptr || norm->inputs[0] != last.inputs[down->residual_input()]) return std::nullopt;
  if (!known_weight(pattern, *first) || !known_weight(pattern, last)) return std::nullopt;
  Mlp fused;
  fused.epsilon = norm->op.as<LayerNorm>()->epsilon;
  fused.activation = up->activation;
  fused.compute = up->compute;
  const std::vector<ValueId> inputs = {norm->inputs[0], norm->inputs[1], norm->inputs[2], first->inputs[1], first->inputs[2], last.inputs[1], last.inputs[2]};
  return Fusion{fused, inputs, {norm, first, &last}};
}

}  // namespace

Graph fuse_mlp(const Graph& graph) { return fuse_where(graph, mlp); }

}  // namespace edgelab::graph
