#include "train/fuse_gradients.hpp"

#include <map>
#include <set>

#include "graph/passes/fusion.hpp"
#include "graph/passes/passes.hpp"
#include "kernels/activation_backward/activation_backward.hpp"
#include "kernels/binary/binary.hpp"
#include "kernels/layer_norm_backward/layer_norm_backward.hpp"
#include "kernels/linear_backward/linear_backward_data.hpp"

namespace edgelab::train {

namespace {

using graph::Graph;
using graph::Node;
using graph::Pattern;
using graph::Rewrite;
using graph::ValueId;
using kernels::ActivationBackward;
using kernels::ActivationKind;
using kernels::Binary;
using kernels::LayerNormBackward;
using kernels::LinearBackwardData;

bool goes_through(const Graph&, const Node& producer, const Node& consumer, std::size_t input) {
  const auto* linear = producer.op.as<LinearBackwardData>();
  return linear != nullptr && linear->activation == ActivationKind::none && consumer.op.as<ActivationBackward>() != nullptr && input == 1;
}

ValueId emit_through(Rewrite& rewrite, const Node& producer, const Node& consumer, std::size_t) {
  LinearBackwardData linear = *producer.op.as<LinearBackwardData>();
  linear.activation = consumer.op.as<ActivationBackward>()->kind;
  return rewrite.to().add(producer.name, linear, {rewrite.carry(producer.inputs[0]), rewrite.carry(producer.inputs[1]), rewrite.carry(consumer.inputs[0])});
}

// The layer normalisation whose dx alone `node` adds to something, and that something.
struct Branch {
  const Node* norm = nullptr;
  ValueId addend;
};
Branch branch_of(const Pattern& pattern, const Node& node) {
  const auto* add = node.op.as<Binary>();
  if (add == nullptr || add->kind != Binary::Kind::add) return {};
  for (std::size_t i = 0; i < 2; ++i) {
    const Node* norm = pattern.only_for_us<LayerNormBackward>(node.inputs[i]);
    if (norm == nullptr || norm->op.as<LayerNormBackward>()->has_addend || norm->outputs[0] != node.inputs[i]) continue;
    // The other two outputs move with it: nothing may read them before they are there.
    if (!pattern.readers(norm->outputs[1]).empty() || !pattern.readers(norm->outputs[2]).empty()) continue;
    const ValueId addend = node.inputs[1 - i];
    if (pattern.graph().type(addend) == pattern.graph().type(node.inputs[i])) return {norm, addend};
  }
  return {};
}

Graph fuse_branches(const Graph& graph) {
  const Pattern pattern(graph);
  std::map<const Node*, Branch> at;  // by the addition
  std::set<const Node*> moved;
  for (const Node& node : graph.nodes()) {
    const Branch branch = branch_of(pattern, node);
    if (branch.norm == nullptr || !moved.insert(branch.norm).second) continue;
    at.emplace(&node, branch);
  }
  Rewrite rewrite(graph);
  for (const Node& node : graph.nodes()) {
    if (moved.contains(&node)) continue;
    const auto found = at.find(&node);
    if (found == at.end()) {
      rewrite.copy(node);
      continue;
    }
    const auto& [norm, addend] = found->second;
    LayerNormBackward op = *norm->op.as<LayerNormBackward>();
    op.has_addend = true;
    std::vector<ValueId> inputs = rewrite.carry(norm->inputs);
    inputs.push_back(rewrite.carry(addend));
    const std::vector<ValueId> outputs = rewrite.to().apply(norm->name, op, inputs);
    rewrite.map(node.outputs[0], outputs[0]);
    rewrite.map(norm->outputs[1], outputs[1]);
    rewrite.map(norm->outputs[2], outputs[2]);
  }
  return rewrite.finish();
}

}  // namespace

Graph fuse_gradients(const Graph& differentiated) {
  return fuse_branches(graph::merge_pairs(graph::fuse_residual(differentiated), {goes_through, emit_through}));
}

}  // namespace edgelab::train
