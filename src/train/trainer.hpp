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
#include "train/part_of_model.hpp"
#include "train/pipeline_order.hpp"
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
  std::span<const float> images;   // [rows, 3, S, S]; not read but on the first stage of a pipeline
  std::span<const float> targets;  // [rows, classes], each summing to 1, or to 0: padding; this and the next, but on the last one
  std::span<const float> teacher;  // logits [rows, classes]; empty without one
  std::int64_t global_count = 0;   // samples in the global batch
};

// A model in training, or this rank's part of one: its weights, which move, and what moves them.
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
  // This rank has a part of the model only. Each of the parts that a rank's rows are worked through in (TrainerSettings::accumulate) is
  // then a micro-batch of the pipeline.
  void works_on(PartOfModel part);

  // Collective over the ranks of the exchange, or of the model. Throws Error, Cancelled; everything is then as it was before the step.
  Report step(const TrainingSamples& samples, double learning_rate);
  // Of the last step's loss by the parameters, in their order, over all ranks; until the next step.
  std::vector<std::span<const float>> gradients() const;

  const graph::Graph& model() const { return model_; }
  Optimizer& optimizer() { return *optimizer_; }
  const Optimizer& optimizer() const { return *optimizer_; }
  TrainingStep& compiled() { return step_; }

 private:
  std::size_t slot_of(std::int64_t part) const { return static_cast<std::size_t>(part) % settings_.step.place.in_flight; }
  void forward(const TrainingSamples& samples, std::int64_t part);
  void backward(std::int64_t part);
  void set_images(const TrainingSamples& samples, std::int64_t part);
  void set_targets(const TrainingSamples& samples, std::int64_t part);
  void set_teacher(std::span<const float> logits, double weight, std::size_t slot);
  void note_statistics(std::size_t slot);
  void move_statistics();
  void sum_over_parts(std::int64_t part);
  void exchange_all();
  std::span<float> buffer(const std::string& name) const { return buffers_.at(name); }

  graph::Graph model_;
  TrainerSettings settings_;
  TrainingStep step_;
  ThreadTeam team_;
  GradientExchange* exchange_ = nullptr;
  double share_ = 1.0;
  PartOfModel part_;
  std::vector<PipelineWork> order_;
  std::map<std::string, std::span<float>> buffers_;
  std::optional<Optimizer> optimizer_;
  std::vector<std::vector<float>> sums_;  // of the parts' gradients; empty for one part
  std::vector<float> noted_;              // the loss, then the parts' statistics: mean, variance, mean, …
};

// What a step keeps beside its own memory and the weights: for TrainingStepSettings::bytes_beside.
std::int64_t bytes_beside_step(const graph::Graph& model, std::span<const std::string> parameters, const OptimizerSettings& optimizer,
                               std::int64_t accumulate, bool exchange, bool average);

}  // namespace edgelab::train
