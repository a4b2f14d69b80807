#include "graph/passes/rewrite.hpp"

#include "core/error.hpp"

namespace edgelab::graph {

Rewrite::Rewrite(const Graph& from) : from_(from), mapped_(from.values().size()) {
  for (const ValueId id : from.inputs()) map(id, to_.input(from.value(id).name, from.type(id)));
}

ValueId Rewrite::carry(ValueId old) {
  ValueId& now = mapped_[static_cast<std::size_t>(old.index)];
  if (now.valid()) return now;
  const Value& value = from_.value(old);
  switch (value.kind) {
    case ValueKind::parameter: now = to_.parameter(value.name, value.type, value.data); break;
    case ValueKind::buffer: now = to_.buffer(value.name, value.type, value.data); break;
    case ValueKind::constant: now = to_.constant(value.name, value.data); break;
    case ValueKind::input:
    case ValueKind::result: throw Error(ErrorKind::data, "a pass used a value before it was computed").got(value.name);
  }
  to_.set_origin(now, value.origin);
  return now;
}

std::vector<ValueId> Rewrite::carry(const std::vector<ValueId>& old) {
  std::vector<ValueId> now;
  for (const ValueId id : old) now.push_back(carry(id));
  return now;
}

void Rewrite::copy(const Node& node) {
  const std::vector<ValueId> outputs = to_.apply(node.name, node.op, carry(node.inputs));
  for (std::size_t i = 0; i < outputs.size(); ++i) map(node.outputs[i], outputs[i]);
}

Graph Rewrite::finish() {
  for (const ValueId id : from_.outputs()) to_.output(carry(id));
  return std::move(to_);
}

namespace {

struct Pair {
  std::size_t producer = 0, input = 0;
};

std::vector<std::optional<std::size_t>> producers_of(const Graph& graph) {
  std::vector<std::optional<std::size_t>> producers(graph.values().size());
  for (std::size_t n = 0; n < graph.nodes().size(); ++n) {
    for (const ValueId id : graph.nodes()[n].outputs) producers[static_cast<std::size_t>(id.index)] = n;
  }
  return producers;
}

}  // namespace

Graph merge_pairs(const Graph& graph, const MergeRule& rule) {
  const std::vector<int> uses = graph.use_counts();
  const auto producers = producers_of(graph);
  std::vector<std::optional<Pair>> pairs(graph.nodes().size());
  std::vector<bool> absorbed(graph.nodes().size(), false);
  for (std::size_t n = 0; n < graph.nodes().size(); ++n) {
    const Node& consumer = graph.nodes()[n];
    for (std::size_t i = 0; i < consumer.inputs.size() && !pairs[n]; ++i) {
      const auto value = static_cast<std::size_t>(consumer.inputs[i].index);
      if (!producers[value] || uses[value] != 1) continue;
      const std::size_t p = *producers[value];
      if (absorbed[p] || pairs[p] || graph.nodes()[p].outputs.size() != 1) continue;
      if (!rule.matches(graph, graph.nodes()[p], consumer, i)) continue;
      pairs[n] = Pair{p, i};
      absorbed[p] = true;
    }
  }
  Rewrite rewrite(graph);
  for (std::size_t n = 0; n < graph.nodes().size(); ++n) {
    const Node& node = graph.nodes()[n];
    if (absorbed[n]) continue;
    if (pairs[n]) {
      rewrite.map(node.outputs.front(), rule.emit(rewrite, graph.nodes()[pairs[n]->producer], node, pairs[n]->input));
    } else {
      rewrite.copy(node);
    }
  }
  return rewrite.finish();
}

}  // namespace edgelab::graph
