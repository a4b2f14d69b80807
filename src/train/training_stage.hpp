#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "graph/graph.hpp"
#include "train/training_step.hpp"

namespace edgelab::train {

// One stage of a model that is trained as a pipeline: what a trainer of it is made of.
struct TrainingStage {
  graph::Graph graph;                   // shares its weights with the model's
  std::vector<std::string> parameters;  // of those that move, the ones that are here, in the order given
  StagePlace place;
};

// `starts`: as graph::cut() takes them. `parameters`: all that move. `parts`: micro-batches a step. Throws Error (data) if stages share
// a parameter that moves, and as cut().
TrainingStage training_stage(const graph::Graph& model, std::span<const std::size_t> starts, std::size_t stage, std::span<const std::string> parameters,
                             std::int64_t parts);

}  // namespace edgelab::train
