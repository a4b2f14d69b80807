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

void Rewrite::copy(const Node& node) { copy(node, node.op); }

void Rewrite::copy(const Node& node, Op op) {
  const std::vector<ValueId> outputs = to_.apply(node.name, std::move(op), carry(node.inputs), node.unfused);
  for (std::size_t i = 0; i < outputs.size(); ++i) map(node.outputs[i], outputs[i]);
}

void Rewrite::fuse(std::string layer, Op op, const std::vector<ValueId>& inputs, const std::vector<const Node*>& nodes) {
  auto unfused = std::make_shared<const Graph>(extract(from_, inputs, nodes));
  const std::vector<ValueId> outputs = to_.apply(std::move(layer), std::move(op), carry(inputs), std::move(unfused));
  map(nodes.back()->outputs.front(), outputs.front());
}

Graph extract(const Graph& from, const std::vector<ValueId>& inputs, const std::vector<const Node*>& nodes) {
  Rewrite part = Rewrite::empty(from);
  for (const ValueId id : inputs) {
    const Value& value = from.value(id);
    if (value.kind != ValueKind::input && value.kind != ValueKind::result) continue;
    part.map(id, part.to().input("input" + std::to_string(part.to().inputs().size()), value.type));
  }
  for (const Node* node : nodes) part.copy(*node);
  for (const ValueId id : nodes.back()->outputs) part.to().output(part.carry(id));
  return std::move(part.to());
}

std::vector<const Node*> producers_of(const Graph& graph) {
  std::vector<const Node*> producers(graph.values().size(), nullptr);
  for (const Node& node : graph.nodes()) {
    for (const ValueId id : node.outputs) producers[static_cast<std::size_t>(id.index)] = &node;
  }
  return producers;
}

std::vector<std::vector<const Node*>> consumers_of(const Graph& graph) {
  std::vector<std::vector<const Node*>> consumers(graph.values().size());
  for (const Node& node : graph.nodes()) {
    for (const ValueId id : node.inputs) consumers[static_cast<std::size_t>(id.index)].push_back(&node);
  }
  return consumers;
}

Graph with_changed_ops(const Graph& graph, const std::function<Op(const Op&)>& change) {
  Rewrite rewrite(graph);
  for (const Node& node : graph.nodes()) {
    Node changed = node;
    if (node.unfused) changed.unfused = std::make_shared<const Graph>(with_changed_ops(*node.unfused, change));
    rewrite.copy(changed, change(node.op));
  }
  return rewrite.finish();
}

Graph Rewrite::finish() {
  for (const ValueId id : from_.outputs()) to_.output(carry(id));
  return std::move(to_);
}

namespace {

struct Pair {
  std::size_t producer = 0, input = 0;
};

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
      if (producers[value] == nullptr || uses[value] != 1) continue;
      const auto p = static_cast<std::size_t>(producers[value] - graph.nodes().data());
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
