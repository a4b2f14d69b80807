#include "graph/split/cut.hpp"

#include <algorithm>
#include <string>

#include "core/error.hpp"
#include "graph/passes/rewrite.hpp"

namespace edgelab::graph {
namespace {

// Of each value that is computed or given, the node that makes it and the last one that reads it, counted from 1: 0 makes the
// inputs, nodes + 1 reads the outputs.
struct Lives {
  explicit Lives(const Graph& graph) : made(graph.values().size(), kNever), read(graph.values().size(), 0) {
    for (const ValueId id : graph.inputs()) made[at(id)] = 0;
    for (std::size_t n = 0; n < graph.nodes().size(); ++n) {
      for (const ValueId id : graph.nodes()[n].inputs) read[at(id)] = n + 1;
      for (const ValueId id : graph.nodes()[n].outputs) made[at(id)] = n + 1;
    }
    for (const ValueId id : graph.outputs()) read[at(id)] = graph.nodes().size() + 1;
  }
  // The values that are there before node `start` (from 0) and read by it or later.
  std::vector<ValueId> over(std::size_t start) const {
    std::vector<ValueId> crossing;
    for (std::size_t v = 0; v < made.size(); ++v) {
      if (made[v] <= start && read[v] > start) crossing.push_back({static_cast<std::int32_t>(v)});
    }
    return crossing;
  }

  static constexpr std::size_t kNever = static_cast<std::size_t>(-1);  // weights
  std::vector<std::size_t> made, read;

 private:
  static std::size_t at(ValueId id) { return static_cast<std::size_t>(id.index); }
};

void require_order(std::span<const std::size_t> starts, std::size_t nodes) {
  if (!starts.empty() && starts.front() == 0 && std::is_sorted(starts.begin(), starts.end()) && starts.back() <= nodes) return;
  std::string got;
  for (const std::size_t start : starts) got += (got.empty() ? "" : ", ") + std::to_string(start);
  throw Error(ErrorKind::usage, "a graph can't be cut into stages there").got(got).expected("numbers from 0 to " + std::to_string(nodes) + ", the first 0, none below the one before");
}

}  // namespace

std::vector<Graph> cut(const Graph& graph, std::span<const std::size_t> starts) {
  require_order(starts, graph.nodes().size());
  const Lives lives(graph);
  std::vector<Graph> stages;
  for (std::size_t s = 0; s < starts.size(); ++s) {
    const bool last = s + 1 == starts.size();
    const std::size_t end = last ? graph.nodes().size() : starts[s + 1];
    Rewrite stage = Rewrite::empty(graph);
    for (const ValueId id : s == 0 ? graph.inputs() : lives.over(starts[s])) stage.map(id, stage.to().input(graph.value(id).name, graph.type(id)));
    for (std::size_t n = starts[s]; n < end; ++n) stage.copy(graph.nodes()[n]);
    for (const ValueId id : last ? graph.outputs() : lives.over(end)) stage.to().output(stage.carry(id));
    stages.push_back(std::move(stage.to()));
  }
  return stages;
}

std::vector<ValueId> values_over(const Graph& graph, std::size_t start) { return Lives(graph).over(start); }

std::vector<std::int64_t> bytes_over_cuts(const Graph& graph) {
  const Lives lives(graph);
  std::vector<std::int64_t> bytes;
  for (std::size_t start = 0; start <= graph.nodes().size(); ++start) {
    std::int64_t sum = 0;
    for (const ValueId id : lives.over(start)) sum += static_cast<std::int64_t>(graph.type(id).bytes());
    bytes.push_back(sum);
  }
  return bytes;
}

}  // namespace edgelab::graph
