#include <algorithm>
#include <map>

#include "graph/passes/fusion.hpp"
#include "graph/passes/passes.hpp"
#include "kernels/activation/activation.hpp"
#include "kernels/layer_norm/layer_norm.hpp"
#include "kernels/linear/linear.hpp"
#include "kernels/tokens/tokens.hpp"

namespace edgelab::graph {
namespace {

using kernels::SelectToken;

// Each row of the result depends on the same row of the inputs alone.
bool by_rows(const Node& node) {
  return node.op.as<kernels::Linear>() != nullptr || node.op.as<kernels::LayerNorm>() != nullptr || node.op.as<kernels::Activation>() != nullptr;
}

bool selects(const Node* node) { return node->op.as<SelectToken>() != nullptr; }

// A node by rows whose result is only read by selections.
bool moves_behind(const Pattern& pattern, const Node& node) {
  if (!by_rows(node) || pattern.graph().type(node.outputs[0]).shape.rank() != 3) return false;
  const auto& readers = pattern.readers(node.outputs[0]);
  return !readers.empty() && pattern.uses(node.outputs[0]) == static_cast<int>(readers.size()) && std::all_of(readers.begin(), readers.end(), selects);
}

// Selections in the new graph; a value's token is selected once, so that who reads it twice can be recognised.
class Selections {
 public:
  explicit Selections(Rewrite& rewrite) : rewrite_(rewrite) {}
  ValueId of(ValueId old, const Node& selection) {
    const ValueId from = rewrite_.carry(old);
    const auto [place, fresh] = known_.try_emplace({from, selection.op.as<SelectToken>()->index});
    if (fresh) place->second = rewrite_.to().add(selection.name, selection.op, {from});
    return place->second;
  }

 private:
  Rewrite& rewrite_;
  std::map<std::pair<ValueId, std::int64_t>, ValueId> known_;
};

// The node for the one row of each sample that `selection` asks for.
ValueId emit_for_one(Rewrite& rewrite, Selections& selections, const Node& node, const Node& selection, bool only_one) {
  const Shape& rows = rewrite.from().type(node.outputs[0]).shape;
  std::vector<ValueId> inputs;
  for (const ValueId id : node.inputs) {
    const Shape& shape = rewrite.from().type(id).shape;
    const bool tokens = shape.rank() == 3 && shape[0] == rows[0] && shape[1] == rows[1];
    inputs.push_back(tokens ? selections.of(id, selection) : rewrite.carry(id));
  }
  return rewrite.to().add(only_one ? node.name : node.name + "." + selection.name, node.op, inputs);
}

// Moves every selection one node up where it can.
std::optional<Graph> one_up(const Graph& graph) {
  const Pattern pattern(graph);
  std::vector<const Node*> moved;
  for (const Node& node : graph.nodes()) {
    if (moves_behind(pattern, node)) moved.push_back(&node);
  }
  if (moved.empty()) return std::nullopt;
  Rewrite rewrite(graph);
  Selections selections(rewrite);
  const auto is_moved = [&](const Node* node) { return std::find(moved.begin(), moved.end(), node) != moved.end(); };
  for (const Node& node : graph.nodes()) {
    if (is_moved(&node)) continue;
    const Node* before = selects(&node) ? pattern.producer(node.inputs[0]) : nullptr;
    if (!selects(&node)) {
      rewrite.copy(node);
    } else if (before == nullptr || !is_moved(before)) {
      rewrite.map(node.outputs[0], selections.of(node.inputs[0], node));
    } else {
      rewrite.map(node.outputs[0], emit_for_one(rewrite, selections, *before, node, pattern.uses(before->outputs[0]) == 1));
    }
  }
  return rewrite.finish();
}

}  // namespace

Graph select_early(const Graph& graph) {
  Graph result = graph;
  while (std::optional<Graph> next = one_up(result)) result = std::move(*next);
  return result;
}

}  // namespace edgelab::graph
