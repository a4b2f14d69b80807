#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "graph/graph.hpp"

namespace edgelab::train {

// A batch normalisation that works with its batch's own statistics, and the running ones that inference will use.
struct BatchStatistics {
  std::string running_mean, running_variance;   // buffers of the model
  std::size_t mean_output = 0, variance_output = 0;  // of the graph; the variance is the biased one
  std::int64_t count = 0;                       // numbers that each is taken over
};

// A model as it is trained: one more step than its inference form.
struct TrainingForm {
  // Outputs: the logits, the losses (one a sample each; the loss of a step is the sum of them all), then the statistics.
  // Inputs: "images"; "targets" [N, classes]; "teacher" [N, classes] where there is one.
  // Of a stage of a pipeline the inputs are what the one before hands on, in place of images; unless it is the last one its outputs are
  // what it hands on, row-major, and it has no losses.
  graph::Graph graph;
  std::size_t results = 1;  // outputs before the losses
  std::size_t losses = 1;
  std::vector<BatchStatistics> statistics;
  std::vector<graph::ValueId> handed_on;  // by a stage that is not the last: the values that its outputs are copies of
};

struct TrainingFormSettings {
  // Whether the batch normalisation of this name takes its batch's statistics; the others keep the running ones, as a layer
  // must whose weights don't move. Empty: all do.
  std::function<bool(const std::string& layer)> uses_batch_statistics;
  // Distillation (Hinton et al. 2015): the teacher's probabilities at this temperature come as "teacher", already weighted.
  // A model with a distillation token (Touvron et al. 2021) learns them with that token's head, and the labels with the other.
  std::optional<double> teacher_temperature;
  bool ends_in_losses = true;  // not so of a stage that is not the last
};

// `model` is as models::build() makes it. The graph shares the model's weights.
TrainingForm training_form(const graph::Graph& model, const TrainingFormSettings& settings);

}  // namespace edgelab::train
