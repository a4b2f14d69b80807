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

std::vector<ValueId> those(const std::vector<ValueId>& values, const std::vector<bool>& learn) {
  std::vector<ValueId> chosen;
  for (std::size_t i = 0; i < learn.size(); ++i) {
    if (learn[i]) chosen.push_back(values[i]);
  }
  return chosen;
}

}  // namespace

TrainingStep::TrainingStep(const Graph& model, std::span<const std::string> parameters, const TrainingStepSettings& settings)
    : place_(settings.place), arriving_(model.inputs().size()), gradient_count_(parameters.size()) {
  TrainingFormSettings form_settings = settings.form;
  form_settings.ends_in_losses = place_.last;
  TrainingForm form = training_form(model, form_settings);
  if (settings.compute != DType::f32) form.graph = graph::set_compute(form.graph, settings.compute);
  std::vector<ValueId> wanted = values_named(form.graph, parameters);
  for (const ValueId id : those(form.graph.inputs(), place_.inputs_learn)) wanted.push_back(id);
  const std::vector<ValueId> given = those(form.handed_on, place_.outputs_learn);
  first_returned_ = form.graph.inputs().size();
  runtime::PlanOptions options;
  options.threads = settings.threads;
  options.weights_change = true;
  options.implementations = settings.implementations;
  std::shared_ptr<const runtime::Plan> plan;
  for (const Recompute recompute : {Recompute::nothing, Recompute::cheap, Recompute::blocks}) {
    const Differentiated both = differentiate(form.graph, wanted, recompute, given);
    plan = runtime::Plan::compile(graph::narrow_training_values(fuse_gradients(both.graph)), options);
    first_gradient_ = both.first_gradient;
    recompute_ = recompute;
    const std::int64_t bytes = static_cast<std::int64_t>(place_.in_flight * plan->arena_bytes()) + weight_bytes(model) + settings.bytes_beside;
    if (!settings.memory_limit || bytes <= *settings.memory_limit) break;
    if (recompute != Recompute::blocks) continue;
    throw Error(ErrorKind::environment, "memory_limit: a training step takes more")
        .got(fmt::format("{} bytes, with all computed again that can be", bytes))
        .expected(fmt::format("{} bytes at most", *settings.memory_limit))
        .hint("a smaller train.batch, or the same in parts: train.accumulate");
  }
  results_ = form.results;
  losses_ = form.losses;
  form_statistics_ = std::move(form.statistics);
  for (std::size_t i = 0; !place_.last && i < results_; ++i) forward_end_ = std::max(forward_end_, plan->outputs()[i].last_step + 1);
  for (std::size_t slot = 0; slot < place_.in_flight; ++slot) executables_.emplace_back(plan);
}

void TrainingStep::forward(std::size_t slot) { executables_[slot].run(0, forward_end_); }
void TrainingStep::backward(std::size_t slot) { executables_[slot].run(forward_end_, executables_[slot].plan().steps().size()); }

void TrainingStep::stop_when(const std::function<bool()>& stop) {
  for (runtime::Executable& executable : executables_) executable.stop_when(stop);
}

void TrainingStep::after_each_step(const std::function<void()>& done) {
  for (runtime::Executable& executable : executables_) executable.after_each_step([done](std::size_t) { done(); });
}

std::vector<Tensor> TrainingStep::arrived(std::size_t slot) const {
  std::vector<Tensor> tensors;
  for (std::size_t i = 0; i < arriving_; ++i) tensors.push_back(executables_[slot].input(i));
  return tensors;
}

std::vector<Tensor> TrainingStep::handed_on(std::size_t slot) const {
  std::vector<Tensor> tensors;
  for (std::size_t i = 0; i < results_; ++i) tensors.push_back(executables_[slot].output(i));
  return tensors;
}

std::vector<Tensor> TrainingStep::gradients_of_handed_on(std::size_t slot) const {
  std::vector<Tensor> tensors;
  for (std::size_t i = first_returned_; i < executables_[slot].plan().inputs().size(); ++i) tensors.push_back(executables_[slot].input(i));
  return tensors;
}

std::vector<Tensor> TrainingStep::gradients_of_arrived(std::size_t slot) const {
  std::vector<Tensor> tensors;
  for (std::size_t i = first_gradient_ + gradient_count_; i < executables_[slot].plan().outputs().size(); ++i) tensors.push_back(executables_[slot].output(i));
  return tensors;
}

void TrainingStep::when_gradient_is_ready(std::function<void(std::size_t)> ready) {
  if (!ready) return executable().after_each_step({});
  std::vector<std::vector<std::size_t>> made(executable().plan().steps().size());  // by step
  const auto& ports = executable().plan().outputs();
  for (std::size_t i = 0; i < gradient_count_; ++i) made[ports[first_gradient_ + i].last_step].push_back(i);
  executable().after_each_step([made = std::move(made), ready = std::move(ready)](std::size_t step) {
    for (const std::size_t gradient : made[step]) ready(gradient);
  });
}

std::span<const float> TrainingStep::floats(std::size_t output, std::size_t slot) const {
  const Tensor tensor = executables_[slot].output(output);
  return {reinterpret_cast<const float*>(tensor.data()), static_cast<std::size_t>(tensor.elements())};
}

std::span<const float> TrainingStep::gradient(std::size_t parameter, std::size_t slot) const { return floats(first_gradient_ + parameter, slot); }

double TrainingStep::loss(std::size_t slot) const {
  double sum = 0.0;
  for (std::size_t i = 0; i < losses_; ++i) {
    for (const float value : floats(results_ + i, slot)) sum += static_cast<double>(value);
  }
  return sum;
}

}  // namespace edgelab::train
