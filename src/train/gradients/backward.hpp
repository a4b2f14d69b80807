#pragma once

#include <initializer_list>
#include <span>
#include <string_view>
#include <vector>

#include "graph/graph.hpp"
#include "train/autodiff.hpp"

namespace edgelab::train {

using graph::Graph;
using graph::Node;
using graph::ValueId;

// The backward pass while it is being written: what the rules of train/gradients work with. Values of the forward graph keep
// their ids.
class Backward {
 public:
  Backward(const Graph& forward, std::span<const ValueId> wanted, Recompute recompute);

  // Part of the gradient of a forward value, from outside: a new input. Before run().
  void take_in(ValueId forward);
  // Appends the gradients of all nodes, last to first.
  void run();
  // Of a wanted value; throws Error (data) if no loss depends on it.
  ValueId gradient_of(ValueId wanted) const;
  Graph take() { return std::move(graph_); }

  // --- for the rules -----------------------------------------------------------------------------------------------
  graph::TensorType type(ValueId id) const { return graph_.type(id); }  // by value: the graph grows
  // The loss's gradient with respect to an output of the node in hand.
  ValueId incoming(ValueId output) const { return gradients_[static_cast<std::size_t>(output.index)]; }
  // Whether the gradient with respect to this input of the node in hand is needed.
  bool wanted(ValueId input) const { return active_[static_cast<std::size_t>(input.index)]; }
  // Adds to the gradient of an input. `gradient` has the input's shape.
  void give(ValueId input, ValueId gradient);
  // A value of the forward pass, kept or computed again.
  ValueId saved(ValueId forward);
  // Nodes of the backward pass, in the layer of the node in hand.
  std::vector<ValueId> apply(graph::Op op, std::initializer_list<ValueId> inputs);
  ValueId add(graph::Op op, std::initializer_list<ValueId> inputs) { return apply(std::move(op), inputs).front(); }

 private:
  void mark_active(std::span<const ValueId> wanted);
  bool is_kept(const Node& producer) const;
  std::string described(const Node& node) const;

  const Graph& forward_;
  Graph graph_;
  Recompute recompute_;
  std::vector<const Node*> producers_;  // of the forward graph's values
  std::vector<bool> active_;            // depends on something wanted
  std::vector<ValueId> gradients_;      // by forward value; invalid: none so far
  std::vector<ValueId> again_;          // by forward value: where it stands once it has been computed again
  std::string layer_;
};

struct GradientRule {
  std::string_view op;
  void (*emit)(Backward& backward, const Node& node);
};

// One a differentiable op; to add one, write train/gradients/<op>.cpp and name it in rules.cpp.
std::span<const GradientRule> gradient_rules();

// Throws Error (data) for a node that a pass has fused with its neighbours.
[[noreturn]] void refuse_fused(const Node& node);

}  // namespace edgelab::train
