#include "tasks/training/settings.hpp"

#include "tasks/model_setup.hpp"

namespace edgelab::tasks {

int batch_of(const JobSpec& spec) { return spec.train->batch.value_or(spec.batch); }

train::OptimizerSettings optimizer_settings(const TrainSpec& spec) {
  using Method = train::OptimizerSettings::Method;
  train::OptimizerSettings settings;
  settings.method = spec.optimizer.name == Optimizer::sgd ? Method::sgd : Method::adamw;
  settings.weight_decay = spec.optimizer.weight_decay;
  settings.momentum = spec.optimizer.momentum;
  settings.nesterov = spec.optimizer.nesterov;
  settings.clip_norm = spec.clip_norm;
  return settings;
}

train::ScheduleSettings schedule_settings(const TrainSpec& spec, std::int64_t steps_per_epoch) {
  using Curve = train::ScheduleSettings::Curve;
  constexpr struct {
    LearningRateSchedule name;
    Curve curve;
  } kCurves[] = {{LearningRateSchedule::constant, Curve::constant},
                 {LearningRateSchedule::cosine, Curve::cosine},
                 {LearningRateSchedule::step, Curve::step},
                 {LearningRateSchedule::one_cycle, Curve::one_cycle}};
  train::ScheduleSettings settings;
  for (const auto& entry : kCurves) {
    if (entry.name == spec.schedule.name) settings.curve = entry.curve;
  }
  settings.learning_rate = spec.optimizer.lr;
  settings.warmup_epochs = spec.schedule.warmup_epochs;
  settings.step_epochs = spec.schedule.step_epochs;
  settings.gamma = spec.schedule.gamma;
  settings.epochs = spec.epochs;
  settings.steps_per_epoch = steps_per_epoch;
  return settings;
}

train::TrainableSettings trainable_settings(const TrainableSpec& spec) {
  using What = train::TrainableSettings::What;
  switch (spec.what) {
    case Trainable::all: return {What::all, 0};
    case Trainable::head: return {What::head, 0};
    case Trainable::last: return {What::last, spec.last};
    case Trainable::lora: return {What::lora, 0};
  }
  return {};
}

train::LoraSettings lora_settings(const LoraSpec& spec) {
  train::LoraSettings settings;
  settings.rank = spec.rank;
  settings.alpha = spec.alpha;
  if (!spec.targets.empty()) settings.targets = spec.targets;
  return settings;
}

data::TrainingLoaderOptions loader_options(const JobSpec& spec, const data::PreprocessOptions& preprocess) {
  data::TrainingLoaderOptions options;
  options.batch = batch_of(spec);
  options.drop_last = spec.train->drop_last;
  options.preprocess = preprocess;
  options.augment = data::augmentations_named(spec.train->augment);
  options.label_smoothing = spec.train->label_smoothing;
  options.seed = spec.seed;
  options.epochs = spec.train->epochs;
  if (spec.train->distill) options.different_epochs = spec.train->distill->augmentations;
  return options;
}

DataSpec validation_data(const JobSpec& spec) {
  DataSpec data = spec.data;
  if (spec.train->validate) {
    data = *spec.train->validate;
    if (data.dataset.empty()) data.dataset = spec.data.dataset;
    if (data.path.empty() && data.dataset == spec.data.dataset) data.path = spec.data.path;
  } else {
    data.split = Split::test;
    data.limit.reset();
    data.per_class.reset();
    data.shuffle = false;
  }
  return data;
}

data::DatasetOptions validation_options(const JobSpec& spec) {
  JobSpec validation = spec;
  validation.data = validation_data(spec);
  return dataset_options(validation);
}

}  // namespace edgelab::tasks
