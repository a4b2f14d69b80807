#include "graph/passes/passes.hpp"
#include "graph/passes/rewrite.hpp"
#include "kernels/activation/activation.hpp"
#include "kernels/binary/binary.hpp"
#include "kernels/conv2d/conv2d.hpp"
#include "kernels/linear/linear.hpp"

namespace edgelab::graph {
namespace {

using kernels::Activation;
using kernels::ActivationKind;
using kernels::Binary;
using kernels::Conv2d;
using kernels::Linear;

// Conv2d and Linear have the same epilogue fields; `change` gets whichever the op is.
template <class Change> std::optional<Op> with_epilogue(const Op& op, const Change& change) {
  const auto changed = [&](auto settings) -> std::optional<Op> { return change(settings) ? std::optional<Op>(settings) : std::nullopt; };
  if (const auto* conv = op.as<Conv2d>()) return changed(*conv);
  if (const auto* linear = op.as<Linear>()) return changed(*linear);
  return std::nullopt;
}

std::optional<Op> with_activation(const Op& op, ActivationKind kind) {
  return with_epilogue(op, [=](auto& settings) {
    if (settings.activation != ActivationKind::none || settings.has_residual) return false;
    settings.activation = kind;
    return true;
  });
}

std::optional<Op> with_residual(const Op& op) {
  return with_epilogue(op, [](auto& settings) {
    if (settings.has_residual) return false;
    settings.has_residual = true;
    return true;
  });
}

bool activation_matches(const Graph&, const Node& producer, const Node& consumer, std::size_t) {
  const auto* activation = consumer.op.as<Activation>();
  return activation != nullptr && with_activation(producer.op, activation->kind).has_value();
}

ValueId emit_activation(Rewrite& rewrite, const Node& producer, const Node& consumer, std::size_t) {
  return rewrite.to().add(producer.name, *with_activation(producer.op, consumer.op.as<Activation>()->kind), rewrite.carry(producer.inputs));
}

bool residual_matches(const Graph& graph, const Node& producer, const Node& consumer, std::size_t input) {
  const auto* binary = consumer.op.as<Binary>();
  if (binary == nullptr || binary->kind != Binary::Kind::add || !with_residual(producer.op)) return false;
  const ValueId other = consumer.inputs[1 - input];
  const ValueKind kind = graph.value(other).kind;
  return (kind == ValueKind::result || kind == ValueKind::input) && graph.type(other) == graph.type(producer.outputs.front());
}

ValueId emit_residual(Rewrite& rewrite, const Node& producer, const Node& consumer, std::size_t input) {
  std::vector<ValueId> inputs = rewrite.carry(producer.inputs);
  inputs.push_back(rewrite.carry(consumer.inputs[1 - input]));
  return rewrite.to().add(producer.name, *with_residual(producer.op), inputs);
}

}  // namespace

Graph fuse_activation(const Graph& graph) { return merge_pairs(graph, {activation_matches, emit_activation}); }
Graph fuse_residual(const Graph& graph) { return merge_pairs(graph, {residual_matches, emit_residual}); }

}  // namespace edgelab::graph
