// Training's state: where its weights come from, checkpoints, what it hands on.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/log.hpp"
#include "models/model_file.hpp"
#include "models/model_metadata.hpp"
#include "models/reshape.hpp"
#include "models/weights.hpp"
#include "tasks/model_setup.hpp"
#include "tasks/training/model_to_train.hpp"
#include "tasks/training/settings.hpp"
#include "tasks/training/training.hpp"
#include "train/lora.hpp"
#include "train/state_tensors.hpp"
#include "train/trainable.hpp"

namespace edgelab::tasks {

namespace {

using models::NamedTensor;

}  // namespace

void Training::build_trainer() {
  const std::int64_t rows = loader_options_.shares[static_cast<std::size_t>(loader_options_.rank)];
  graph::Graph model = model_to_train(spec_, options_, rows_of_a_part(spec_, rows), context_.weights_of_jobs, context_.threads, model_record_);
  parameters_ = train::trainable_parameters(model, trainable_settings(spec_.train->trainable));
  const train::TrainerSettings settings = trainer_settings(spec_, model, parameters_, context_.threads, communicator_.size());
  trainer_.emplace(std::move(model), parameters_, settings);
  trainer_->compiled().stop_when(context_.cancelled);
  if (communicator_.size() > 1) {
    exchange_.emplace(communicator_, trainer_->exchanged_elements());
    trainer_->exchange_by(*exchange_, static_cast<double>(rows) / loader_options_.batch);
  }
  if (spec_.train->ema) average_.emplace(*spec_.train->ema, weights_now(), team_);
}

std::vector<NamedTensor> Training::weights_now() const { return models::named_weights(trainer_->model()); }

train::Checkpoint Training::checkpoint() const {
  return {progress_, weights_now(), trainer_->optimizer().state(), average_ ? average_->state() : std::vector<NamedTensor>()};
}

void Training::restore(const train::Checkpoint& checkpoint) {
  for (const NamedTensor& weight : weights_now()) train::copy_floats(checkpoint.model, weight.name, weight.tensor);
  last_answers_.reset();
  trainer_->optimizer().restore(checkpoint.optimizer);
  if (average_) average_->restore(checkpoint.average);
  progress_ = checkpoint.progress;
  if (!early_stopping_) return;
  early_stopping_.emplace(*spec_.train->early_stopping);
  for (const train::EpochSummary& epoch : progress_.history) early_stopping_->add(epoch.top1.value_or(0.0));
}

void Training::resume() {
  bool resumed = false;
  if (leads() && !context_.folder.empty()) {
    checkpoints_.emplace(context_.folder / "checkpoints", spec_.checkpoint.keep, spec_.resolved);
    try {
      if (const auto latest = checkpoints_->latest()) {
        restore(*latest);
        resumed = true;
      }
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::usage) throw;  // what can't be read now may be read by the next attempt
      // The job was another when it made them.
      log::warning("job " + spec_.id + ": starts afresh: " + std::string(error.what()));
      checkpoints_->clear();
    }
  }
  if (communicator_.size() == 1) return;
  std::int64_t any = resumed ? 1 : 0;
  communicator_.broadcast(std::span(&any, 1), 0);
  if (any != 0) share_state();
}

// The leader's state for every rank, as a checkpoint in memory.
void Training::share_state() {
  parallel::Bytes bytes;
  if (leads()) {
    const std::vector<std::uint8_t> file = train::checkpoint_bytes(checkpoint(), spec_.resolved);
    const auto all = std::as_bytes(std::span(file));
    bytes.assign(all.begin(), all.end());
  }
  communicator_.broadcast(bytes, 0);
  if (leads()) return;
  const auto* begin = reinterpret_cast<const std::uint8_t*>(bytes.data());
  restore(train::checkpoint_of_bytes({begin, begin + bytes.size()}, "the leader's state", spec_.resolved));
}

// After early stopping: the weights of the best epoch.
void Training::take_best() {
  if (progress_.best_steps == progress_.steps) return;
  const std::vector<train::EpochSummary> history = progress_.history;
  std::int64_t found = 0;
  if (leads() && checkpoints_) {
    restore(checkpoints_->at(progress_.best_steps));
    found = 1;
  }
  communicator_.broadcast(std::span(&found, 1), 0);
  if (found != 0 && communicator_.size() > 1) share_state();
  progress_.history = history;
}

graph::Graph Training::finished_model(std::int64_t batch) const {
  graph::Graph adapted = trainer_->model();
  std::map<std::string, Tensor> averages;
  if (average_) {
    for (const NamedTensor& weight : average_->averages()) averages.emplace(weight.name, weight.tensor);
  }
  for (const graph::ValueId id : adapted.weights()) {
    if (average_) adapted.bind(id, averages.at(adapted.value(id).name));
  }
  return train::merge_lora(adapted, models::reshaped(models::build(options_, batch), models::shapes_of(adapted)));
}

// What has moved, by itself: the adapters and the classifier, which are a hundredth of the model.
void Training::keep_adapters() const {
  if (spec_.train->trainable.what != Trainable::lora || context_.folder.empty()) return;
  std::map<std::string, std::string> metadata = models::metadata_of(options_);
  metadata["edgelab.lora.rank"] = std::to_string(spec_.train->trainable.lora.rank);
  metadata["edgelab.lora.alpha"] = fmt::format("{}", spec_.train->trainable.lora.alpha);
  std::vector<NamedTensor> moved;
  for (const NamedTensor& weight : average_ ? average_->averages() : weights_now()) {
    if (std::find(parameters_.begin(), parameters_.end(), weight.name) != parameters_.end()) moved.push_back(weight);
  }
  make_folders(context_.folder);
  models::write_safetensors(context_.folder / "adapters.safetensors", moved, metadata);
}

void Training::keep_weights() {
  keep_adapters();
  const graph::Graph model = finished_model(1);
  context_.made_weights = models::model_file(model, options_);
  model_record_.bytes_on_disk = static_cast<std::int64_t>(context_.made_weights.size());
  model_record_.parameters = model.parameter_elements();
  model_record_.nonzero_parameters = model.nonzero_parameter_elements();
  model_record_.flop_per_sample = model.flop();
}

}  // namespace edgelab::tasks
