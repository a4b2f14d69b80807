#include "train/training_step.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "core/error.hpp"
#include "graph/passes/passes.hpp"
#include "train/fuse_gradients.hpp"

namespace edgelab::train {

namespace {

using graph::Graph;
using graph::ValueId;

std::vector<ValueId> values_named(const Graph& graph, std::span<const std::string> names) {
  std::map<std::string, ValueId> ids;
  for (const ValueId id : graph.weights()) ids.emplace(graph.value(id).name, id);
  std::vector<ValueId> wanted;
  for (const std::string& name : names) wanted.push_back(ids.at(name));
  return wanted;
}

std::int64_t weight_bytes(const Graph& graph) {
  std::int64_t bytes = 0;
  for (const ValueId id : graph.weights()) bytes += static_cast<std::int64_t>(graph.type(id).bytes());
  return bytes;
}

}  // namespace

TrainingStep::TrainingStep(const Graph& model, std::span<const std::string> parameters, const TrainingStepSettings& settings) {
  TrainingForm form = training_form(model, settings.form);
  if (settings.compute != DType::f32) form.graph = graph::set_compute(form.graph, settings.compute);
  const std::vector<ValueId> wanted = values_named(form.graph, parameters);
  runtime::PlanOptions options;
  options.threads = settings.threads;
  options.weights_change = true;
  options.implementations = settings.implementations;
  std::shared_ptr<const runtime::Plan> plan;
  for (const Recompute recompute : {Recompute::nothing, Recompute::cheap, Recompute::blocks}) {
    const Differentiated both = differentiate(form.graph, wanted, recompute);
    plan = runtime::Plan::compile(graph::narrow_training_values(fuse_gradients(both.graph)), options);
    first_gradient_ = both.first_gradient;
    recompute_ = recompute;
    const std::int64_t bytes = static_cast<std::int64_t>(plan->arena_bytes()) + weight_bytes(model) + settings.bytes_beside;
    if (!settings.memory_limit || bytes <= *settings.memory_limit) break;
    if (recompute != Recompute::blocks) continue;
    throw Error(ErrorKind::environment, "memory_limit: a training step takes more")
        .got(fmt::format("{} bytes, with all computed again that can be", bytes))
        .expected(fmt::format("{} bytes at most", *settings.memory_limit))
        .hint("a smaller train.batch, or the same in parts: train.accumulate");
  }
  losses_ = form.losses;
  form_statistics_ = std::move(form.statistics);
  gradient_count_ = wanted.size();
  executable_.emplace(std::move(plan));
}

void TrainingStep::when_gradient_is_ready(std::function<void(std::size_t)> ready) {
  if (!ready) return executable_->after_each_step({});
  std::vector<std::vector<std::size_t>> made(executable_->plan().steps().size());  // by step
  const auto& ports = executable_->plan().outputs();
  for (std::size_t i = 0; i < gradient_count_; ++i) made[ports[first_gradient_ + i].last_step].push_back(i);
  executable_->after_each_step([made = std::move(made), ready = std::move(ready)](std::size_t step) {
    for (const std::size_t gradient : made[step]) ready(gradient);
  });
}

std::span<const float> TrainingStep::floats(std::size_t output) const {
  const Tensor tensor = executable_->output(output);
  return {reinterpret_cast<const float*>(tensor.data()), static_cast<std::size_t>(tensor.elements())};
}

std::span<const float> TrainingStep::gradient(std::size_t parameter) const { return floats(first_gradient_ + parameter); }

double TrainingStep::loss() const {
  double sum = 0.0;
  for (std::size_t i = 1; i <= losses_; ++i) {
    for (const float value : floats(i)) sum += static_cast<double>(value);
  }
  return sum;
}

}  // namespace edgelab::train
