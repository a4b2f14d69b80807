#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "graph/graph.hpp"

namespace edgelab::graph {

// Builds a new graph out of an old one. Inputs are carried over at once, in their order; weights and constants when
// something first uses them, so that what nothing uses any more is left behind.
class Rewrite {
 public:
  explicit Rewrite(const Graph& from);
  // Without the inputs: the caller maps what stands for them.
  static Rewrite empty(const Graph& from) { return Rewrite(from, Empty{}); }

  const Graph& from() const { return from_; }
  Graph& to() { return to_; }

  // The new graph's name for an old value; throws Error if its node has not been emitted.
  ValueId carry(ValueId old);
  std::vector<ValueId> carry(const std::vector<ValueId>& old);
  void map(ValueId old, ValueId now) { mapped_[static_cast<std::size_t>(old.index)] = now; }
  void copy(const Node& node);
  // The same with another op.
  void copy(const Node& node, Op op);
  // Appends one node that does the work of `nodes`, which are consecutive in meaning but not in place: `op` on `inputs`,
  // values of the old graph, gives the only output of the last of them. What the nodes did is kept with it as `unfused`.
  void fuse(std::string layer, Op op, const std::vector<ValueId>& inputs, const std::vector<const Node*>& nodes);
  // Carries the outputs over and hands out the result.
  Graph finish();

 private:
  struct Empty {};
  Rewrite(const Graph& from, Empty) : from_(from), mapped_(from.values().size()) {}

  const Graph& from_;
  Graph to_;
  std::vector<ValueId> mapped_;
};

// The node that computes each value, none for values that are not results; one a value.
std::vector<const Node*> producers_of(const Graph& graph);
// The nodes that read each value, as often as they read it.
std::vector<std::vector<const Node*>> consumers_of(const Graph& graph);

// Some nodes of a graph as a graph of their own, in the order given: those of `inputs` that are not weights become its
// inputs in their order, the outputs of the last node its outputs.
Graph extract(const Graph& from, const std::vector<ValueId>& inputs, const std::vector<const Node*>& nodes);

// The same graph with each op changed, those that fused nodes stand for too.
Graph with_changed_ops(const Graph& graph, const std::function<Op(const Op&)>& change);

// A rule that makes one node of two: a producer, and the only consumer of its only output.
struct MergeRule {
  bool (*matches)(const Graph& graph, const Node& producer, const Node& consumer, std::size_t consumer_input);
  ValueId (*emit)(Rewrite& rewrite, const Node& producer, const Node& consumer, std::size_t consumer_input);
};

// Applies the rule to every such pair once (a node takes part in one pair at most).
Graph merge_pairs(const Graph& graph, const MergeRule& rule);

}  // namespace edgelab::graph
