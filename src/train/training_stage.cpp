#include "train/training_stage.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "core/error.hpp"
#include "graph/split/cut.hpp"
#include "train/pipeline_order.hpp"

namespace edgelab::train {

namespace {

using graph::Graph;
using graph::ValueId;

// By value: whether it depends on a parameter that moves, so that what becomes of it has a gradient that somebody wants.
std::vector<bool> learning_values(const Graph& model, std::span<const std::string> parameters) {
  const std::set<std::string> moving(parameters.begin(), parameters.end());
  std::vector<bool> learns(model.values().size(), false);
  const auto at = [](ValueId id) { return static_cast<std::size_t>(id.index); };
  for (const ValueId id : model.weights()) learns[at(id)] = moving.contains(model.value(id).name);
  for (const graph::Node& node : model.nodes()) {
    const bool depends = std::any_of(node.inputs.begin(), node.inputs.end(), [&](ValueId id) { return learns[at(id)]; });
    for (const ValueId id : node.outputs) learns[at(id)] = depends;
  }
  return learns;
}

std::set<std::string> weights_of(const Graph& graph) {
  std::set<std::string> names;
  for (const ValueId id : graph.weights()) names.insert(graph.value(id).name);
  return names;
}

}  // namespace

TrainingStage training_stage(const Graph& model, std::span<const std::size_t> starts, std::size_t stage, std::span<const std::string> parameters,
                             std::int64_t parts) {
  std::vector<Graph> stages = graph::cut(model, starts);
  const std::set<std::string> here = weights_of(stages[stage]);
  TrainingStage result;
  for (const std::string& name : parameters) {
    if (!here.contains(name)) continue;
    result.parameters.push_back(name);
    for (std::size_t other = 0; other < stages.size(); ++other) {
      if (other == stage || !weights_of(stages[other]).contains(name)) continue;
      throw Error(ErrorKind::data, "pipeline: two stages would train the same weights").got(name).hint("cut elsewhere: parallel.partition");
    }
  }
  const std::vector<bool> learns = learning_values(model, parameters);
  const auto over_cut = [&](std::size_t before) {
    std::vector<bool> over;
    for (const ValueId id : graph::values_over(model, starts[before])) over.push_back(learns[static_cast<std::size_t>(id.index)]);
    return over;
  };
  result.place.first = stage == 0;
  result.place.last = stage + 1 == starts.size();
  if (!result.place.first) result.place.inputs_learn = over_cut(stage);
  if (!result.place.last) result.place.outputs_learn = over_cut(stage + 1);
  result.place.in_flight = most_between_passes(static_cast<int>(stage), static_cast<int>(starts.size()), parts);
  result.graph = std::move(stages[stage]);
  return result;
}

}  // namespace edgelab::train
