#include <algorithm>

#include "graph/passes/fusion.hpp"
#include "graph/passes/passes.hpp"
#include "kernels/attention_backward/attention_backward.hpp"
#include "kernels/layer_norm/layer_norm.hpp"
#include "kernels/linear/linear.hpp"
#include "kernels/linear_backward/linear_backward_weights.hpp"

namespace edgelab::graph {
namespace {

using kernels::Attention;
using kernels::AttentionBackward;
using kernels::Linear;

// Whether the node reads the value as input `input`, once, and rounds it to bf16.
template <class Settings> bool rounds(const Node& node, ValueId value, std::size_t input = 0) {
  return node.op.as<Settings>() != nullptr && node.op.compute() == DType::bf16 && node.inputs[input] == value &&
         std::count(node.inputs.begin(), node.inputs.end(), value) == 1;
}

// Somebody reads the value, and each reader, the graph's outputs among them, is as `fits` asks.
template <class Fits> bool all_readers(const Pattern& pattern, ValueId value, const Fits& fits) {
  const auto& readers = pattern.readers(value);
  return !readers.empty() && pattern.uses(value) == static_cast<int>(readers.size()) &&
         std::all_of(readers.begin(), readers.end(), [&](const Node* reader) { return fits(*reader); });
}

bool product_rounds(const Node& reader, ValueId value) { return rounds<Linear>(reader, value) || rounds<kernels::LinearBackwardWeights>(reader, value); }

bool products_round(const Pattern& pattern, ValueId value) {
  return all_readers(pattern, value, [&](const Node& reader) { return product_rounds(reader, value); });
}

// Attention gives its output in its input's type, and its gradient takes both in one.
bool attention_may_narrow(const Pattern& pattern, const Node& attention, ValueId qkv) {
  if (!rounds<Attention>(attention, qkv) || attention.op.as<Attention>()->algorithm == Attention::Algorithm::naive) return false;
  const ValueId y = attention.outputs[0];
  return all_readers(pattern, y, [&](const Node& reader) {
    return product_rounds(reader, y) || (rounds<AttentionBackward>(reader, y, 1) && reader.inputs[0] == qkv);
  });
}

bool gradient_may_narrow(const Pattern& pattern, const Node& reader, ValueId qkv) {
  if (!rounds<AttentionBackward>(reader, qkv)) return false;
  const Node* attention = pattern.producer<Attention>(reader.inputs[1]);
  return attention != nullptr && attention->inputs[0] == qkv;
}

bool queries_may_narrow(const Pattern& pattern, ValueId qkv) {
  return all_readers(pattern, qkv, [&](const Node& reader) { return attention_may_narrow(pattern, reader, qkv) || gradient_may_narrow(pattern, reader, qkv); });
}

template <class Settings> Op to_bf16(const Node& node) {
  Settings narrow = *node.op.as<Settings>();
  narrow.output = DType::bf16;
  return narrow;
}

std::optional<Op> narrowed(const Pattern& pattern, const Node& node) {
  const ValueId y = node.outputs[0];
  if (node.op.as<kernels::LayerNorm>() != nullptr && products_round(pattern, y)) return to_bf16<kernels::LayerNorm>(node);
  if (node.op.as<kernels::Activation>() != nullptr && products_round(pattern, y)) return to_bf16<kernels::Activation>(node);
  const auto* linear = node.op.as<Linear>();
  const bool plain = linear != nullptr && linear->compute == DType::bf16 && linear->activation == kernels::ActivationKind::none;
  if (plain && queries_may_narrow(pattern, y)) return to_bf16<Linear>(node);
  return std::nullopt;
}

}  // namespace

Graph narrow_training_values(const Graph& graph) {
  const Pattern pattern(graph);
  Rewrite rewrite(graph);
  for (const Node& node : graph.nodes()) {
    if (const std::optional<Op> op = narrowed(pattern, node)) {
      rewrite.copy(node, *op);
    } else {
      rewrite.copy(node);
    }
  }
  return rewrite.finish();
}

}  // namespace edgelab::graph
