#pragma once

#include <optional>
#include <string>
#include <vector>

#include "graph/passes/rewrite.hpp"

namespace edgelab::graph {

// One node that may stand for several: what Rewrite::fuse takes.
struct Fusion {
  Op op;
  std::vector<ValueId> inputs;
  std::vector<const Node*> nodes;  // in order; the last gives the only output that others read
  std::string layer = {};          // empty: the last one's
};

// A graph with what rules ask of it.
class Pattern {
 public:
  explicit Pattern(const Graph& graph) : graph_(graph), producers_(producers_of(graph)), consumers_(consumers_of(graph)), uses_(graph.use_counts()) {}

  const Graph& graph() const { return graph_; }
  const Node* producer(ValueId value) const { return producers_[at(value)]; }
  // The node that computes the value, if it is a Settings.
  template <class Settings> const Node* producer(ValueId value) const {
    const Node* node = producers_[at(value)];
    return node != nullptr && node->op.as<Settings>() != nullptr ? node : nullptr;
  }
  // The same, if nobody else reads the value.
  template <class Settings> const Node* only_for_us(ValueId value) const { return uses_[at(value)] == 1 ? producer<Settings>(value) : nullptr; }
  // The only reader of a node's only output, if it is a Settings.
  template <class Settings> const Node* reader(const Node& node) const {
    if (node.outputs.size() != 1 || uses_[at(node.outputs[0])] != 1 || consumers_[at(node.outputs[0])].size() != 1) return nullptr;
    const Node* next = consumers_[at(node.outputs[0])].front();
    return next->op.as<Settings>() != nullptr ? next : nullptr;
  }
  const std::vector<const Node*>& readers(ValueId value) const { return consumers_[at(value)]; }
  int uses(ValueId value) const { return uses_[at(value)]; }

 private:
  static std::size_t at(ValueId value) { return static_cast<std::size_t>(value.index); }

  const Graph& graph_;
  std::vector<const Node*> producers_;
  std::vector<std::vector<const Node*>> consumers_;
  std::vector<int> uses_;
};

// What the last node of a pattern can be fused with, or nothing.
using FusionRule = std::optional<Fusion> (*)(const Pattern& pattern, const Node& last);

// Applies the rule wherever it holds; a node takes part in one fusion at most, later ones first.
Graph fuse_where(const Graph& graph, FusionRule rule);

// "features.3.conv" of "features.3.conv.1.0" and "features.3.conv.2": the layer that both stand in; the last one's own if there is none.
std::string common_layer(const std::string& first, const std::string& last);

}  // namespace edgelab::graph
