#include <algorithm>

#include "graph/passes/fusion.hpp"
#include "graph/passes/passes.hpp"
#include "kernels/attention/attention.hpp"
#include "kernels/layer_norm_linear/layer_norm_linear.hpp"
#include "kernels/linear/linear.hpp"
#include "kernels/tokens/tokens.hpp"

namespace edgelab::graph {
namespace {

using kernels::Attention;
using kernels::LayerNormLinear;
using kernels::Linear;

// Somebody reads the value, every reader does so as its first input alone and is a Settings that rounds it to bf16.
template <class Settings> bool all_round(const Pattern& pattern, ValueId value) {
  const auto& readers = pattern.readers(value);
  const auto rounds = [&](const Node* node) {
    return node->op.as<Settings>() != nullptr && node->op.compute() == DType::bf16 && std::count(node->inputs.begin(), node->inputs.end(), value) == 1 &&
           node->inputs.front() == value;
  };
  return !readers.empty() && pattern.uses(value) == static_cast<int>(readers.size()) && std::all_of(readers.begin(), readers.end(), rounds);
}

// The same through the selection of a token.
bool linears_round(const Pattern& pattern, ValueId value) {
  if (all_round<Linear>(pattern, value)) return true;
  const auto& readers = pattern.readers(value);
  return !readers.empty() && pattern.uses(value) == static_cast<int>(readers.size()) && std::all_of(readers.begin(), readers.end(), [&](const Node* node) {
    return node->op.as<kernels::SelectToken>() != nullptr && all_round<Linear>(pattern, node->outputs[0]);
  });
}

bool may_give_bf16(const Pattern& pattern, const Node& node) {
  const auto* linear = node.op.as<LayerNormLinear>();
  if (linear == nullptr || linear->compute != DType::bf16 || !all_round<Attention>(pattern, node.outputs[0])) return false;
  const auto& attentions = pattern.readers(node.outputs[0]);
  const auto naive = [](const Node* reader) { return reader->op.as<Attention>()->algorithm == Attention::Algorithm::naive; };
  if (std::any_of(attentions.begin(), attentions.end(), naive)) return false;  // oneDNN's takes fp32 alone
  return std::all_of(attentions.begin(), attentions.end(), [&](const Node* attention) { return linears_round(pattern, attention->outputs[0]); });
}

}  // namespace

Graph narrow_values(const Graph& graph) {
  const Pattern pattern(graph);
  Rewrite rewrite(graph);
  for (const Node& node : graph.nodes()) {
    if (!may_give_bf16(pattern, node)) {
      rewrite.copy(node);
      continue;
    }
    LayerNormLinear narrow = *node.op.as<LayerNormLinear>();
    narrow.output = DType::bf16;
    Node changed = node;
    changed.unfused = nullptr;  // it would give f32
    rewrite.copy(changed, narrow);
  }
  return rewrite.finish();
}

}  // namespace edgelab::graph
