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
#include "parallel/together.hpp"
#include "tasks/model_setup.hpp"
#include "tasks/quantizing/aware.hpp"
#include "tasks/split/layout.hpp"
#include "tasks/training/model_to_train.hpp"
#include "tasks/training/settings.hpp"
#include "tasks/training/shares.hpp"
#include "tasks/training/training.hpp"
#include "train/lora.hpp"
#include "train/state_tensors.hpp"
#include "train/trainable.hpp"

namespace edgelab::tasks {

using models::NamedTensor;

void Training::build_trainer() {
  if (splits_model(spec_) && communicator_.size() > 1) return build_part(parts_of_batch(spec_));
  loader_options_.shares = shares_of_ranks(spec_, options_, context_);
  loader_options_.rank = communicator_.rank();
  const std::int64_t rows = loader_options_.shares[static_cast<std::size_t>(loader_options_.rank)];
  model_ = model_to_train(spec_, options_, rows_of_a_part(spec_, rows), context_.weights_of_jobs, context_.threads, model_record_);
  parameters_ = train::trainable_parameters(model_, trainable_settings(spec_.train->trainable));
  train::TrainerSettings settings = trainer_settings(spec_, model_, parameters_, context_.threads, communicator_.size());
  if (!spec_.model.weights.random()) quantization_ = models::model_weights(weights_file(spec_.model, context_.weights_of_jobs)).quantization;
  // Its normalisations were folded in: those that stand for them would give the values another scale if they looked at the batch.
  if (!quantization_.empty()) settings.step.form.uses_batch_statistics = [](const std::string&) { return false; };
  trainer_.emplace(model_, parameters_, settings);
  trainer_->compiled().stop_when(context_.cancelled);
  if (communicator_.size() > 1) {
    exchange_.emplace(communicator_, trainer_->exchanged_elements());
    trainer_->exchange_by(*exchange_, static_cast<double>(rows) / loader_options_.batch);
  }
  if (spec_.train->ema) average_.emplace(*spec_.train->ema, weights_now(), team_);
}

// Of a model that is split over the ranks. What goes wrong on one is everybody's error.
void Training::build_part(std::int64_t parts) {
  parallel::together(communicator_, [&] {
    const std::int64_t batch = batch_of_copy(spec_);
    if (batch % parts != 0) rows_of_a_part(spec_, batch);  // throws
    model_ = model_to_train(spec_, options_, batch / parts, context_.weights_of_jobs, context_.threads, model_record_);
    parameters_ = train::trainable_parameters(model_, trainable_settings(spec_.train->trainable));
  });
  copies_.emplace(communicator_, ways_of(spec_).data);
  split_.emplace(spec_, context_, *copies_, model_, parameters_);
  loader_options_.shares = split_->shares();
  loader_options_.rank = split_->share_of();
  parallel::together(communicator_, [&] {
    train::TrainerSettings settings = trainer_settings(spec_, split_->graph(), split_->parameters(), context_.threads, copies_->count());
    settings.accumulate = parts;
    settings.step.place = split_->place();
    trainer_.emplace(split_->graph(), split_->parameters(), settings);
  });
  trainer_->compiled().stop_when(context_.cancelled);
  split_->connect(*trainer_);
  if (!spec_.train->ema) return;
  average_.emplace(*spec_.train->ema, weights_now(), team_);
  for (const NamedTensor& weight : models::named_weights(model_)) all_averages_.push_back({weight.name, weight.tensor.clone()});
}

std::vector<NamedTensor> Training::weights_now() const { return models::named_weights(trainer_->model()); }

std::vector<NamedTensor> Training::averages_now() const { return split_ ? all_averages_ : average_->averages(); }

void Training::know_all_weights() {
  if (!split_) return;
  split_->state().spread(weights_now(), models::named_weights(model_));
  if (average_) split_->state().spread(average_->averages(), all_averages_);
}

train::Checkpoint Training::checkpoint() const {
  return {progress_, weights_now(), trainer_->optimizer().state(), average_ ? average_->state() : std::vector<NamedTensor>()};
}

void Training::restore(const train::Checkpoint& checkpoint) {
  const auto mine = [&](const std::vector<NamedTensor>& whole) { return split_ ? split_->state().mine(whole) : whole; };
  for (const NamedTensor& weight : models::named_weights(model_)) train::copy_floats(checkpoint.model, weight.name, weight.tensor);
  if (split_) {
    const std::vector<NamedTensor> pieces = mine(checkpoint.model);
    for (const NamedTensor& weight : weights_now()) train::copy_floats(pieces, weight.name, weight.tensor);
  }
  last_answers_.reset();
  trainer_->optimizer().restore(mine(checkpoint.optimizer));
  if (average_) average_->restore(mine(checkpoint.average));
  progress_ = checkpoint.progress;
  if (!early_stopping_) return;
  early_stopping_.emplace(*spec_.train->early_stopping);
  for (const train::EpochSummary& epoch : progress_.history) early_stopping_->add(epoch.top1.value_or(0.0));
}

void Training::resume() {
  std::optional<train::Checkpoint> latest;
  if (leads() && !context_.folder.empty()) {
    checkpoints_.emplace(context_.folder / "checkpoints", spec_.checkpoint.keep, spec_.resolved);
    try {
      latest = checkpoints_->latest();
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::usage) throw;  // what can't be read now may be read by the next attempt
      // The job was another when it made them.
      log::warning("job " + spec_.id + ": starts afresh: " + std::string(error.what()));
      checkpoints_->clear();
    }
  }
  std::int64_t keeps = checkpoints_ ? 1 : 0;
  communicator_.broadcast(std::span(&keeps, 1), 0);
  keeps_checkpoints_ = keeps != 0;
  go_on_from(latest);
}

void Training::go_on_from(const std::optional<train::Checkpoint>& leaders) {
  std::int64_t any = leaders ? 1 : 0;
  communicator_.broadcast(std::span(&any, 1), 0);
  if (any == 0) return;
  if (communicator_.size() == 1) return restore(*leaders);
  parallel::Bytes bytes;
  if (leads()) {
    const std::vector<std::uint8_t> file = train::checkpoint_bytes(*leaders, spec_.resolved);
    const auto all = std::as_bytes(std::span(file));
    bytes.assign(all.begin(), all.end());
  }
  communicator_.broadcast(bytes, 0);
  const auto* begin = reinterpret_cast<const std::uint8_t*>(bytes.data());
  restore(leads() ? *leaders : train::checkpoint_of_bytes({begin, begin + bytes.size()}, "the leader's state", spec_.resolved));
}

// After early stopping: the weights of the best epoch.
void Training::take_best() {
  if (progress_.best_steps == progress_.steps) return;
  const std::vector<train::EpochSummary> history = progress_.history;
  std::optional<train::Checkpoint> best;
  if (checkpoints_) best = checkpoints_->at(progress_.best_steps);
  go_on_from(best);
  progress_.history = history;
}

BoundModel Training::finished_model(std::int64_t batch) const {
  graph::Graph adapted = model_;
  std::map<std::string, Tensor> averages;
  if (average_) {
    for (const NamedTensor& weight : averages_now()) averages.emplace(weight.name, weight.tensor);
  }
  for (const graph::ValueId id : adapted.weights()) {
    if (average_) adapted.bind(id, averages.at(adapted.value(id).name));
  }
  if (spec_.task == Task::quantize) return finished_for_integers(adapted, quantization_, options_, batch);
  return {train::merge_lora(adapted, models::reshaped(models::build(options_, batch), models::shapes_of(adapted))), {}};
}

// What has moved, by itself: the adapters and the classifier, which are a hundredth of the model.
void Training::keep_adapters() const {
  if (spec_.train->trainable.what != Trainable::lora || context_.folder.empty()) return;
  std::map<std::string, std::string> metadata = models::metadata_of(options_);
  metadata["edgelab.lora.rank"] = std::to_string(spec_.train->trainable.lora.rank);
  metadata["edgelab.lora.alpha"] = fmt::format("{}", spec_.train->trainable.lora.alpha);
  std::vector<NamedTensor> moved;
  for (const NamedTensor& weight : average_ ? averages_now() : models::named_weights(model_)) {
    if (std::find(parameters_.begin(), parameters_.end(), weight.name) != parameters_.end()) moved.push_back(weight);
  }
  make_folders(context_.folder);
  models::write_safetensors(context_.folder / "adapters.safetensors", moved, metadata);
}

void Training::keep_weights() {
  keep_adapters();
  const auto [model, quantization] = finished_model(1);
  context_.made_weights = quantization.empty() ? models::model_file(model, options_) : models::quantized_model_file(model, options_, quantization);
  model_record_.bytes_on_disk = static_cast<std::int64_t>(context_.made_weights.size());
  model_record_.parameters = model.parameter_elements();
  model_record_.nonzero_parameters = model.nonzero_parameter_elements();
  model_record_.flop_per_sample = model.flop();
}

}  // namespace edgelab::tasks
