#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "graph/passes/fusion.hpp"
#include "graph/passes/rewrite.hpp"
#include "graph/split/part.hpp"

// What the splits share: emitting nodes with pieces of weights, and the prologue that the first member computes alone.
namespace edgelab::graph {

class PartBuilder {
 public:
  PartBuilder(const Graph& graph, const Member& member) : graph_(graph), pattern_(graph), member_(member), rewrite_(Rewrite::empty(graph)) {}

  const Graph& graph() const { return graph_; }
  const Pattern& pattern() const { return pattern_; }
  const Member& member() const { return member_; }
  Rewrite& rewrite() { return rewrite_; }
  Graph& to() { return rewrite_.to(); }
  const Shape& shape(ValueId old) const { return graph_.type(old).shape; }

  // The first member's nodes in front of node `start`. Whatever crosses from there is then mapped on every member by `deal`, which is
  // given the old value and what it is here (invalid on other members).
  void prologue(std::size_t start, const std::function<ValueId(ValueId old, ValueId here)>& deal);
  // The cut in front of node `first` or earlier over which the least goes; the latest of equals.
  std::size_t cheapest_cut(std::size_t first) const;

  // A weight of the old graph, whole or in part, in the new one.
  ValueId weight(ValueId old) { return rewrite_.carry(old); }
  ValueId sliced(ValueId old, int axis, const std::vector<Range>& ranges);
  // The whole of a bias on the member that has it to add, zeros on the others.
  ValueId bias_or_zeros(ValueId old, bool whole);
  bool known(ValueId old) const { return graph_.value(old).known(); }

  // Positions along `axis` of a value of type `whole`, from who has them to who wants them (kernels/message/exchange.hpp). `here`: what
  // this member has, owned[index]; invalid where that is nothing.
  ValueId dealt(const std::string& layer, const TensorType& whole, int axis, const std::vector<Range>& owned, const std::vector<Range>& wanted, ValueId here);
  // Everybody gets what the first member has.
  ValueId broadcast(const std::string& layer, const TensorType& type, ValueId here);

  Graph finish();

 private:
  const Graph& graph_;
  Pattern pattern_;
  const Member& member_;
  Rewrite rewrite_;
  std::map<std::pair<ValueId, int>, ValueId> sliced_;  // by weight and axis: a member has one share of each
};

}  // namespace edgelab::graph
