#include "tasks/pruning/settings.hpp"

#include <cmath>

namespace edgelab::tasks {

compress::Criterion criterion_of(const PruneSpec& spec) {
  switch (spec.method) {
    case PruneMethod::magnitude: return compress::Criterion::magnitude;
    case PruneMethod::taylor: return compress::Criterion::taylor;
    case PruneMethod::bn_scale: return compress::Criterion::bn_scale;
  }
  return compress::Criterion::magnitude;
}

compress::MaskSettings mask_settings(const PruneSpec& spec, double sparsity) {
  compress::MaskSettings settings;
  if (spec.granularity == Granularity::block1x4) settings.pattern.block = 4;
  if (spec.granularity == Granularity::block1x16) settings.pattern.block = 16;
  if (spec.granularity == Granularity::n_m) settings.pattern.n = spec.n, settings.pattern.m = spec.m;
  settings.sparsity = sparsity;
  settings.per_layer = spec.per_layer;
  return settings;
}

double sparsity_after_round(const PruneSpec& spec, int round) {
  return 1.0 - std::pow(1.0 - spec.sparsity.value_or(0.0), static_cast<double>(round) / rounds_of(spec));
}

compress::ChannelTarget channel_target_of_round(const PruneSpec& spec) {
  const double each = 1.0 / rounds_of(spec);
  if (spec.flops) return {std::pow(*spec.flops, each), std::nullopt};
  return {std::nullopt, 1.0 - std::pow(1.0 - *spec.sparsity, each)};
}

bool keeps_zeros(const JobSpec& spec) { return spec.task == Task::prune && spec.prune->granularity != Granularity::channel; }

namespace {

std::vector<SpecProblem> problems_of_target(const PruneSpec& prune) {
  std::vector<SpecProblem> problems;
  const bool channel = prune.granularity == Granularity::channel, n_m = prune.granularity == Granularity::n_m;
  if (prune.flops && !channel) problems.push_back({"prune.flops is for granularity: channel: zeros leave the FLOPs as they are", "give prune.sparsity"});
  if (n_m && prune.sparsity) problems.push_back({"prune.sparsity does not go with granularity: n_m, where n and m say it", "leave it out"});
  if (n_m && prune.n >= prune.m) problems.push_back({"prune.n must be less than prune.m", "for example n: 2, m: 4"});
  if (!n_m && !prune.sparsity && !prune.flops && prune.sensitivity.empty()) problems.push_back({"prune says not how much", "give prune.sparsity, or prune.flops of granularity: channel"});
  if (prune.sparsity && *prune.sparsity >= 1.0) problems.push_back({"prune.sparsity: 1 would leave nothing", "say less than 1"});
  return problems;
}

std::vector<SpecProblem> problems_of_schedule(const PruneSpec& prune) {
  std::vector<SpecProblem> problems;
  const bool gradual = prune.schedule == PruneSchedule::gradual;
  if (prune.schedule != PruneSchedule::oneshot && !prune.finetune) problems.push_back({"prune.schedule: gradual and iterative fine-tune", "give prune.finetune, or say schedule: oneshot"});
  if (gradual && prune.granularity == Granularity::channel) problems.push_back({"channels can't go gradually", "say schedule: oneshot or iterative"});
  if (prune.schedule != PruneSchedule::oneshot && prune.granularity == Granularity::n_m) problems.push_back({"granularity: n_m goes at once", "say schedule: oneshot"});
  if (gradual && prune.finetune && prune.finetune->early_stopping) {
    problems.push_back({"prune.finetune.early_stopping would keep an epoch from before the zeros were there", "leave it out of schedule: gradual"});
  }
  return problems;
}

}  // namespace

std::vector<SpecProblem> problems_of_pruning(const JobSpec& spec) {
  if (!spec.prune) return {{"prune is missing", "say prune: {sparsity: 0.8}, or more: docs/jobs.md"}};
  std::vector<SpecProblem> problems = problems_of_target(*spec.prune);
  for (SpecProblem& problem : problems_of_schedule(*spec.prune)) problems.push_back(std::move(problem));
  if (!spec.prune->finetune) return problems;
  const TrainSpec& finetune = *spec.prune->finetune;
  if (finetune.search) problems.push_back({"prune.finetune.search: settings of fine-tuning are not searched", "leave it out; a sweep (matrix) tries what you name"});
  if (finetune.reset) problems.push_back({"prune.finetune.reset would draw anew what was pruned", "leave it out"});
  if (finetune.trainable.what == Trainable::lora && keeps_zeros(spec)) {
    problems.push_back({"adapters would fill the zeros when they are merged", "say finetune: {trainable: all}"});
  }
  return problems;
}

}  // namespace edgelab::tasks
