#include "tasks/pruning/pruning.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "compress/prune/channels.hpp"
#include "compress/prune/masks.hpp"
#include "core/error.hpp"
#include "models/model_file.hpp"
#include "tasks/agreed.hpp"
#include "tasks/measurement.hpp"
#include "tasks/model_setup.hpp"
#include "tasks/pruning/gradients.hpp"
#include "tasks/pruning/settings.hpp"
#include "tasks/task_list.hpp"
#include "tasks/training/settings.hpp"
#include "tasks/training/training.hpp"
#include "tasks/verdict.hpp"

namespace edgelab::tasks {
Pruning::Pruning(const JobSpec& spec, TaskContext& context) : spec_(spec), job_(spec), context_(context) {
  job_.train = spec.prune->finetune.value_or(TrainSpec{});
  options_ = model_options(spec, data::open_dataset(dataset_options(spec)).classes());
  results::ModelRecord unused;
  take(agreed([&] {
    return models::model_file(bound_model(spec_.model, options_, 1, spec_.seed, Randomness::lively, context_.weights_of_jobs, context_.threads, unused).graph, options_);
  }));
}

results::JobRecord Pruning::run() {
  results::JobRecord training;
  const std::vector<results::SensitivityRow> sensitivity = scan();
  const bool prunes = spec_.prune->sparsity || spec_.prune->flops || spec_.prune->granularity == Granularity::n_m;
  for (int round = 1; prunes && round <= rounds_of(*spec_.prune); ++round) {
    if (spec_.prune->schedule != PruneSchedule::gradual) take(agreed([&] { return pruned(round); }));
    if (spec_.prune->finetune) finetune(round, training);
  }
  results::JobRecord record = evaluated();
  record.training = std::move(training.training);
  record.sensitivity = sensitivity;
  return record;
}

void Pruning::take(File file) {
  context_.weights_of_jobs[spec_.id] = std::move(file);
  job_.model.weights = {"", spec_.id};
}

graph::Graph Pruning::model(std::int64_t batch) const {
  results::ModelRecord unused;
  return bound_model(job_.model, options_, batch, spec_.seed, Randomness::lively, context_.weights_of_jobs, context_.threads, unused).graph;
}

Pruning::File Pruning::agreed(const std::function<File()>& make) const { return tasks::agreed(context_.communicator, make); }

Pruning::File Pruning::pruned(int round) const {
  report(context_, 0.0, "pruning");
  if (spec_.prune->granularity == Granularity::channel) return pruned_channels(model(1));
  return pruned_masks(model(1), sparsity_after_round(*spec_.prune, round));
}

compress::Gradients Pruning::gradients() const {
  if (spec_.prune->method != PruneMethod::taylor) return {};
  return summed_gradients(job_, options_, spec_.prune->batches, context_);
}

Pruning::File Pruning::pruned_masks(graph::Graph model, double sparsity) const {
  const compress::Gradients slopes = gradients();
  const std::vector<compress::PrunableWeight> weights = compress::prunable_weights(model, spec_.prune->skip);
  std::vector<compress::Judged> judged;
  for (const compress::PrunableWeight& weight : weights) {
    judged.push_back({weight.name, model.type(weight.id).shape, compress::importance(model, weight, criterion_of(*spec_.prune), slopes)});
  }
  const std::vector<compress::Mask> masks = compress::masks(judged, mask_settings(*spec_.prune, sparsity));
  for (std::size_t i = 0; i < masks.size(); ++i) {
    Tensor values = model.value(weights[i].id).data.clone();
    compress::apply(masks[i], values.as<float>());
    model.bind(weights[i].id, values);
  }
  return models::model_file(model, options_);
}

Pruning::File Pruning::pruned_channels(const graph::Graph& model) const {
  const compress::Gradients slopes = gradients();
  const std::vector<compress::ChannelGroup> groups = compress::channel_groups(model);
  std::vector<std::vector<double>> importance;
  for (const compress::ChannelGroup& group : groups) importance.push_back(compress::unit_importance(model, group, criterion_of(*spec_.prune), slopes));
  const auto keep = compress::units_to_keep(model, groups, importance, channel_target_of_round(*spec_.prune), spec_.prune->skip);
  return models::model_file(compress::without_units(model, groups, keep), options_);
}

// Its epochs go behind those in `training`.
void Pruning::finetune(int round, results::JobRecord& training) {
  TaskContext context = context_;
  if (!context_.folder.empty()) context.folder = context_.folder / fmt::format("round-{}", round);
  const results::JobRecord record = Training(job_, context).run();
  const int before = static_cast<int>(training.training.size());
  for (results::TrainingRow row : record.training) {
    row.epoch += before;
    training.training.push_back(row);
  }
  take(agreed([&] { return std::move(context.made_weights); }));
}

std::vector<results::SensitivityRow> Pruning::scan() const {
  if (spec_.prune->sensitivity.empty()) return {};
  const data::Dataset held_out = data::open_dataset(validation_options(job_));
  const graph::Graph whole = model(spec_.batch);
  std::vector<results::SensitivityRow> rows = {tried(held_out, whole, "none", 0.0)};
  if (spec_.prune->granularity == Granularity::channel) {
    const std::vector<compress::ChannelGroup> groups = compress::channel_groups(whole);
    for (std::size_t g = 0; g < groups.size(); ++g) {
      const std::vector<double> worth = compress::unit_importance(whole, groups[g], compress::Criterion::magnitude, {});
      for (const double sparsity : spec_.prune->sensitivity) {
        const auto keep = compress::most_important_of(groups, g, worth, sparsity);
        rows.push_back(tried(held_out, compress::without_units(whole, groups, keep), groups[g].name, sparsity));
      }
    }
    return rows;
  }
  for (const compress::PrunableWeight& weight : compress::prunable_weights(whole, spec_.prune->skip)) {
    for (const double sparsity : spec_.prune->sensitivity) {
      graph::Graph changed = whole;
      const std::vector<compress::Judged> judged = {{weight.name, whole.type(weight.id).shape, compress::importance(whole, weight, compress::Criterion::magnitude, {})}};
      Tensor values = whole.value(weight.id).data.clone();
      compress::apply(compress::masks(judged, mask_settings(*spec_.prune, sparsity)).front(), values.as<float>());
      changed.bind(weight.id, values);
      rows.push_back(tried(held_out, std::move(changed), weight.layer, sparsity));
    }
  }
  return rows;
}

// What a changed model says to the held-out images. Collective; the numbers are the leader's.
results::SensitivityRow Pruning::tried(const data::Dataset& held_out, graph::Graph changed, const std::string& layer, double sparsity) const {
  report(context_, 0.0, fmt::format("sensitivity of {} at {:.0f} %", layer, 100 * sparsity).c_str());
  const Verdict verdict = tried_on(held_out, job_, {std::move(changed), {}}, options_, context_);
  return {layer, sparsity, verdict.top1, verdict.loss};
}

results::JobRecord Pruning::evaluated() {
  JobSpec evaluation = job_;
  evaluation.task = Task::evaluate;
  evaluation.data = validation_data(job_);
  results::JobRecord record = run_evaluate(evaluation, context_);
  if (leads()) context_.made_weights = context_.weights_of_jobs.at(spec_.id);
  return record;
}

}  // namespace edgelab::tasks
