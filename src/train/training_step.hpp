#pragma once

#include <cstdint>
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

struct TrainingStepSettings {
  TrainingFormSettings form;
  DType compute = DType::f32;  // or bf16: operands of products are rounded to it; weights, sums and gradients stay fp32
  int threads = 1;
  // Bytes that the step's memory and the weights with their gradients and optimizer may take together; where they take more,
  // parts of the forward pass are computed again, as few as will do.
  std::optional<std::int64_t> memory_limit;
  std::int64_t bytes_beside = 0;  // what the caller keeps: optimizer state, averages
  std::vector<std::string> implementations;  // that may be used; empty: all
};

// Forward and backward pass of one batch, planned once. The weights are read where they are bound to `model`'s graph, at each
// run, so that an optimizer may change them in place between two runs.
class TrainingStep {
 public:
  // `parameters`: names of those whose gradients are wanted. Throws Error: data as differentiate() does; environment if
  // memory_limit can't be kept.
  TrainingStep(const graph::Graph& model, std::span<const std::string> parameters, const TrainingStepSettings& settings);

  // Views: write before run(). Targets are non-negative; each row's loss is weighted by its sum, so that targets divided by
  // the number of samples make the sum of losses their mean. A row of zeros is padding.
  Tensor images() const { return executable_->input(0); }
  Tensor targets() const { return executable_->input(1); }
  Tensor teacher() const { return executable_->input(2); }  // only with teacher_temperature

  // Called during run(), behind the step that made the gradient of this number last; gradient() may be read from then on.
  void when_gradient_is_ready(std::function<void(std::size_t)> ready);
  void stop_when(std::function<bool()> stop) { executable_->stop_when(std::move(stop)); }
  void run() { executable_->run(); }

  // Of the last run, until the next.
  double loss() const;
  Tensor logits() const { return executable_->output(0); }
  std::size_t gradients() const { return gradient_count_; }
  std::span<const float> gradient(std::size_t parameter) const;  // in the order of `parameters`
  const std::vector<BatchStatistics>& statistics() const { return form_statistics_; }
  std::span<const float> batch_mean(std::size_t entry) const { return floats(form_statistics_[entry].mean_output); }
  std::span<const float> batch_variance(std::size_t entry) const { return floats(form_statistics_[entry].variance_output); }

  Recompute recompute() const { return recompute_; }
  runtime::Executable& executable() { return *executable_; }

 private:
  std::span<const float> floats(std::size_t output) const;

  std::size_t losses_ = 1, first_gradient_ = 0, gradient_count_ = 0;
  std::vector<BatchStatistics> form_statistics_;
  Recompute recompute_ = Recompute::nothing;
  std::optional<runtime::Executable> executable_;
};

}  // namespace edgelab::train
