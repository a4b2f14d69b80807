#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "graph/graph.hpp"
#include "runtime/executable.hpp"
#include "train/autodiff.hpp"
#include "train/training_form.hpp"

namespace edgelab::train {

// Where a step's layers stand in a model that is cut into stages (graph::cut). As it is: all of them.
struct StagePlace {
  bool first = true, last = true;
  // Which of the stage's inputs and outputs carry gradients over the cuts: those on whose way back something is learnt. As many as the
  // stage has; empty for those of the whole model.
  std::vector<bool> inputs_learn, outputs_learn;
  // How many micro-batches may be between their two passes here; each has an arena of its own.
  std::size_t in_flight = 1;
};

struct TrainingStepSettings {
  StagePlace place;
  TrainingFormSettings form;
  DType compute = DType::f32;  // or bf16: operands of products are rounded to it; weights, sums and gradients stay fp32
  int threads = 1;
  // Bytes that the step's memory and the weights with their gradients and optimizer may take together; where they take more,
  // parts of the forward pass are computed again, as few as will do.
  std::optional<std::int64_t> memory_limit;
  std::int64_t bytes_beside = 0;  // what the caller keeps: optimizer state, averages
  std::vector<std::string> implementations;  // that may be used; empty: all
};

// Forward and backward pass of one batch, planned once: of a whole model, or of a stage of a pipeline, which is given what the stage
// before hands on and the gradients that the one behind sends back. The weights are read where they are bound to `model`'s graph, at each
// run, so that an optimizer may change them in place between two runs.
class TrainingStep {
 public:
  // `parameters`: names of those whose gradients are wanted; of a stage there may be none. Throws Error: data as differentiate() does; environment if
  // memory_limit can't be kept.
  TrainingStep(const graph::Graph& model, std::span<const std::string> parameters, const TrainingStepSettings& settings);

  // Views: write before run(). Targets are non-negative; each row's loss is weighted by its sum, so that targets divided by
  // the number of samples make the sum of losses their mean. A row of zeros is padding.
  Tensor images(std::size_t slot = 0) const { return executables_[slot].input(0); }
  Tensor targets(std::size_t slot = 0) const { return executables_[slot].input(arriving_); }
  Tensor teacher(std::size_t slot = 0) const { return executables_[slot].input(arriving_ + 1); }  // only with teacher_temperature

  // Called during run(), behind the step that made the gradient of this number last; gradient() may be read from then on.
  void when_gradient_is_ready(std::function<void(std::size_t)> ready);
  void stop_when(const std::function<bool()>& stop);
  void run() { executables_.front().run(); }

  // The two halves of a run, for `place.in_flight` micro-batches at once, each in a slot. Views as above: what arrives is written before
  // forward(), what is handed on is there behind it; the gradients of what was handed on are written before backward(), those of what
  // arrived are there behind it. The last stage, behind which nobody waits, does all in backward().
  void forward(std::size_t slot);
  void backward(std::size_t slot);
  std::vector<Tensor> arrived(std::size_t slot) const;
  std::vector<Tensor> handed_on(std::size_t slot) const;
  std::vector<Tensor> gradients_of_handed_on(std::size_t slot) const;
  std::vector<Tensor> gradients_of_arrived(std::size_t slot) const;
  // Called behind each step of either half, on the caller's thread. Must not throw.
  void after_each_step(const std::function<void()>& done);

  // Of the last run in this slot, until the next.
  double loss(std::size_t slot = 0) const;
  Tensor logits() const { return executables_.front().output(0); }
  std::size_t gradients() const { return gradient_count_; }
  std::span<const float> gradient(std::size_t parameter, std::size_t slot = 0) const;  // in the order of `parameters`
  const std::vector<BatchStatistics>& statistics() const { return form_statistics_; }
  std::span<const float> batch_mean(std::size_t entry, std::size_t slot = 0) const { return floats(form_statistics_[entry].mean_output, slot); }
  std::span<const float> batch_variance(std::size_t entry, std::size_t slot = 0) const { return floats(form_statistics_[entry].variance_output, slot); }

  Recompute recompute() const { return recompute_; }
  runtime::Executable& executable() { return executables_.front(); }

 private:
  std::span<const float> floats(std::size_t output, std::size_t slot) const;

  StagePlace place_;
  std::size_t arriving_ = 1;          // inputs before the targets
  std::size_t first_returned_ = 0;    // input: the first gradient of what was handed on
  std::size_t results_ = 1, losses_ = 1, first_gradient_ = 0, gradient_count_ = 0;  // outputs
  std::size_t forward_end_ = 0;       // steps
  std::vector<BatchStatistics> form_statistics_;
  Recompute recompute_ = Recompute::nothing;
  std::deque<runtime::Executable> executables_;  // one a slot, on one plan
};

}  // namespace edgelab::train
