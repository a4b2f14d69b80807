#include "graph/passes/passes.hpp"
#include "graph/passes/rewrite.hpp"
#include "kernels/binary/binary.hpp"
#include "kernels/linear/linear.hpp"

namespace edgelab::graph {
namespace {

using kernels::ActivationKind;
using kernels::Binary;
using kernels::Linear;

bool matches(const Graph& graph, const Node& producer, const Node& consumer, std::size_t input) {
  const auto* linear = producer.op.as<Linear>();
  const auto* binary = consumer.op.as<Binary>();
  if (linear == nullptr || binary == nullptr || binary->kind != Binary::Kind::multiply || input != 0) return false;
  if (linear->activation != ActivationKind::none || linear->has_residual) return false;
  const Value& scale = graph.value(consumer.inputs[1]);
  const bool one_a_column = scale.type.shape == Shape{graph.type(producer.outputs[0]).shape.back()};
  const bool bias_known = !linear->has_bias || graph.value(producer.inputs[2]).known();
  return one_a_column && scale.known() && graph.value(producer.inputs[1]).known() && bias_known;
}

ValueId emit(Rewrite& rewrite, const Node& producer, const Node& consumer, std::size_t) {
  const Graph& from = rewrite.from();
  const Linear linear = *producer.op.as<Linear>();
  const auto scale = from.value(consumer.inputs[1]).data.as<float>();
  std::vector<ValueId> inputs = {rewrite.carry(producer.inputs[0])};
  for (std::size_t i = 1; i < producer.inputs.size(); ++i) {
    const Value& old = from.value(producer.inputs[i]);
    Tensor scaled = old.data.clone();
    const auto elements = scaled.as<float>();
    const std::size_t step = elements.size() / scale.size();  // K for the weight, 1 for the bias
    for (std::size_t at = 0; at < elements.size(); ++at) elements[at] *= scale[at / step];
    const ValueId now = rewrite.to().parameter(old.name, old.type, scaled);
    rewrite.to().set_origin(now, consumer.name + " folded in");
    inputs.push_back(now);
  }
  return rewrite.to().add(producer.name, linear, inputs);
}

}  // namespace

Graph fold_scale(const Graph& graph) { return merge_pairs(graph, {matches, emit}); }

}  // namespace edgelab::graph
