#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "core/thread_team.hpp"
#include "graph/graph.hpp"
#include "train/gradient_exchange.hpp"
#include "train/optimizer.hpp"
#include "train/training_step.hpp"

namespace edgelab::train {

struct TrainerSettings {
  TrainingStepSettings step;
  OptimizerSettings optimizer;
  std::int64_t accumulate = 1;          // parts that a rank's rows are worked through in, their gradients added up
  double statistics_momentum = 0.1;  // how far running statistics move to a batch's, as in PyTorch
  // With a teacher (step.form.teacher_temperature): its share of the loss. The rest is the labels'.
  double teacher_weight = 0.0;
};

// This rank's rows of one global batch.
struct TrainingSamples {
  std::span<const float> images;   // [rows, 3, S, S]
  std::span<const float> targets;  // [rows, classes], each summing to 1, or to 0: padding
  std::span<const float> teacher;  // logits [rows, classes]; empty without one
  std::int64_t global_count = 0;   // samples in the global batch
};

// A model in training: its weights, which move, and what moves them.
class Trainer {
 public:
  // `model`: built for rows / accumulate images, its weights bound to memory of their own, which is changed in place. Throws
  // Error as TrainingStep does.
  Trainer(graph::Graph model, const std::vector<std::string>& parameters, const TrainerSettings& settings);
  Trainer(const Trainer&) = delete;
  Trainer& operator=(const Trainer&) = delete;

  // The ranks of a data-parallel job: sizes of what they add up, and what adds it. Beside the gradients that is the loss and
  // the batch's statistics (of which each rank has `share` of the global batch), so that all ranks stay alike to the bit.
  std::vector<std::size_t> exchanged_elements() const;
  void exchange_by(GradientExchange& exchange, double share);

  struct Report {
    // Mean over the global batch. A teacher's part counts with its weight and the square of its temperature (Hinton et al. 2015).
    double loss = 0.0;
    double gradient_norm = 0.0;
    bool applied = false;  // false: a gradient was not finite, and the parameters are as they were
  };
  // Collective over the exchange's ranks. Throws Error, Cancelled; everything is then as it was before the step.
  Report step(const TrainingSamples& samples, double learning_rate);
  // Of the last step's loss by the parameters, in their order, over all ranks; until the next step.
  std::vector<std::span<const float>> gradients() const;

  const graph::Graph& model() const { return model_; }
  Optimizer& optimizer() { return *optimizer_; }
  const Optimizer& optimizer() const { return *optimizer_; }
  TrainingStep& compiled() { return step_; }
 private:
  void fill(const TrainingSamples& samples, std::int64_t part);
  void set_teacher(std::span<const float> logits, double weight);
  void note_statistics();
  void move_statistics();
  void sum_over_parts(bool first);
  void exchange_all();
  std::span<float> buffer(const std::string& name) const { return buffers_.at(name); }

  graph::Graph model_;
  TrainerSettings settings_;
  TrainingStep step_;
  ThreadTeam team_;
  GradientExchange* exchange_ = nullptr;
  double share_ = 1.0;
  std::map<std::string, std::span<float>> buffers_;
  std::optional<Optimizer> optimizer_;
  std::vector<std::vector<float>> sums_;  // of the parts' gradients; empty for one part
  std::vector<float> noted_;              // the loss, then the parts' statistics: mean, variance, mean, …
};

// What a step keeps beside its own memory and the weights: for TrainingStepSettings::bytes_beside.
std::int64_t bytes_beside_step(const graph::Graph& model, std::span<const std::string> parameters, const OptimizerSettings& optimizer,
                               std::int64_t accumulate, bool exchange, bool average);

}  // namespace edgelab::train
