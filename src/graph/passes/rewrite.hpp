#pragma once

#include <optional>
#include <vector>

#include "graph/graph.hpp"

namespace edgelab::graph {

// Builds a new graph out of an old one. Inputs are carried over at once, in their order; weights and constants when
// something first uses them, so that what nothing uses any more is left behind.
class Rewrite {
 public:
  explicit Rewrite(const Graph& from);

  const Graph& from() const { return from_; }
  Graph& to() { return to_; }

  // The new graph's name for an old value; throws Error if its node has not been emitted.
  ValueId carry(ValueId old);
  std::vector<ValueId> carry(const std::vector<ValueId>& old);
  void map(ValueId old, ValueId now) { mapped_[static_cast<std::size_t>(old.index)] = now; }
  void copy(const Node& node);
  // Carries the outputs over and hands out the result.
  Graph finish();

 private:
  const Graph& from_;
  Graph to_;
  std::vector<ValueId> mapped_;
};

// A rule that makes one node of two: a producer, and the only consumer of its only output.
struct MergeRule {
  bool (*matches)(const Graph& graph, const Node& producer, const Node& consumer, std::size_t consumer_input);
  ValueId (*emit)(Rewrite& rewrite, const Node& producer, const Node& consumer, std::size_t consumer_input);
};

// Applies the rule to every such pair once (a node takes part in one pair at most).
Graph merge_pairs(const Graph& graph, const MergeRule& rule);

}  // namespace edgelab::graph
