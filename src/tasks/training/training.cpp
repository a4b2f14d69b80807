#include "tasks/training/training.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "models/initial_weights.hpp"
#include "results/text/units.hpp"
#include "tasks/measurement.hpp"
#include "tasks/model_setup.hpp"
#include "tasks/pruning/settings.hpp"
#include "tasks/scores.hpp"
#include "tasks/split/layer_rows.hpp"
#include "tasks/split/layout.hpp"
#include "tasks/task_list.hpp"
#include "tasks/telemetry/job_telemetry.hpp"
#include "tasks/training/settings.hpp"

namespace edgelab::tasks {

namespace {

std::int64_t rows_of_this_rank(const data::TrainingLoaderOptions& loader) { return loader.shares[static_cast<std::size_t>(loader.rank)]; }

std::string role_of(const parallel::Communicator& communicator, std::int64_t rows, std::int64_t batch) {
  if (communicator.size() == 1) return "all layers";
  return fmt::format("{} of the {} samples of each batch", rows, batch);
}

}  // namespace

Training::Training(const JobSpec& spec, TaskContext& context)
    : spec_(spec),
      context_(context),
      communicator_(context.communicator),
      started_ns_(now_ns()),
      dataset_(data::open_dataset(dataset_options(spec))),
      held_out_(data::open_dataset(validation_options(spec))),
      options_(model_options(spec, dataset_.classes())),
      loader_options_(loader_options(spec, preprocess_options(spec, options_))),
      team_(context.threads) {
  loader_options_.threads = std::max(1, context.threads);
  steps_per_epoch_ = data::steps_per_epoch(dataset_.size(), loader_options_.batch, loader_options_.drop_last);
  schedule_ = schedule_settings(*spec.train, steps_per_epoch_);
  progress_.seed = spec.seed;
  if (spec.train->early_stopping) early_stopping_.emplace(*spec.train->early_stopping);
  build_trainer();
  if (spec.train->distill && (!split_ || split_->reads_data())) teacher_.emplace(spec, context, dataset_, loader_options_);
  row_ = own_rank_row(context, split_ ? split_->role() : role_of(communicator_, rows_of_this_rank(loader_options_), loader_options_.batch));
  resume();
  if (keeps_zeros(spec)) masked_.emplace(spec, *trainer_, parameters_, schedule_.epochs * steps_per_epoch_);
  if (spec.task == Task::quantize) masked_.emplace(*trainer_, parameters_);
  row_.load_ns = now_ns() - started_ns_;
}

results::JobRecord Training::run() {
  train_epochs();
  if (early_stopping_) take_best();
  return record();
}

void Training::train_epochs() {
  data::TrainingLoaderOptions options = loader_options_;
  options.epoch = progress_.epoch;
  options.step = progress_.step;
  if (progress_.epoch >= options.epochs) return;
  std::optional<data::TrainingLoader> loader;
  if (!split_ || split_->reads_data()) loader.emplace(dataset_, options);
  saved_at_ns_ = now_ns();
  began_at_step_ = progress_.steps;
  try {
    while (progress_.epoch < options.epochs && !(early_stopping_ && early_stopping_->should_stop())) train_epoch(loader ? &*loader : nullptr);
  } catch (const Cancelled&) {
    // Nothing may be sent any more, but the state is whole: each step changes all of it, or nothing. Of a split model the leader has
    // its own part only: the job goes on from its last checkpoint.
    if (checkpoints_ && !split_) checkpoints_->save(checkpoint());
    throw;
  }
}

data::TrainingBatch Training::next_batch(data::TrainingLoader* loader) {
  const std::int64_t before = now_ns();
  data::TrainingBatch batch;
  if (loader != nullptr) {
    batch = *loader->next();
    row_.preprocess_ns += now_ns() - before;
    if (split_) split_->send_targets(batch, teacher_ ? teacher_->logits(batch.step) : std::span<const float>());
    return batch;
  }
  batch.epoch = progress_.epoch;
  batch.step = progress_.step;
  batch.global_count = std::min<std::int64_t>(loader_options_.batch, dataset_.size() - progress_.step * loader_options_.batch);
  split_->receive_targets(batch, teachers_);
  return batch;
}

void Training::train_epoch(data::TrainingLoader* loader) {
  if (teacher_) teacher_->begin_epoch(progress_.epoch);
  {
    std::optional<MeasuredWindow> window(std::in_place, context_);
    epoch_began_ns_ = now_ns();
    while (progress_.step < steps_per_epoch_) {
      throw_if_cancelled(context_);
      const data::TrainingBatch batch = next_batch(loader);
      train_step(batch);
      window->add_samples(batch.global_count);
      if (checkpoint_is_due(false)) save_amid_epoch(window);
    }
  }
  end_epoch();
  if (checkpoint_is_due(true)) save();
}

// Writing a checkpoint is no training: neither its time nor the energy of the host that writes it counts.
void Training::save_amid_epoch(std::optional<MeasuredWindow>& window) {
  if (!takes_part_in_saving()) return;
  const std::int64_t before = now_ns();
  window.reset();
  save();
  window.emplace(context_);
  epoch_began_ns_ += now_ns() - before;
}

void Training::train_step(const data::TrainingBatch& batch) {
  const std::int64_t before = now_ns();
  train::TrainingSamples samples{{}, {}, teachers_, batch.global_count};
  if (batch.images.defined()) samples.images = batch.images.as<float>();
  if (batch.targets.defined()) samples.targets = batch.targets.as<float>();
  if (teacher_) samples.teacher = teacher_->logits(batch.step);
  const double rate = train::learning_rate(schedule_, progress_.steps);
  last_answers_.reset();
  const train::Trainer::Report report = trainer_->step(samples, rate);
  row_.compute_ns += now_ns() - before;
  if (!report.applied || !std::isfinite(report.loss)) {
    throw Error(ErrorKind::data, fmt::format("job {}: training diverged in epoch {}, step {}", spec_.id, batch.epoch + 1, batch.step + 1))
        .at(spec_.place)
        .got(fmt::format("a loss of {}, gradients of norm {}", report.loss, report.gradient_norm))
        .expected("finite numbers")
        .hint("a smaller train.optimizer.lr, schedule.warmup_epochs, or clip_norm");
  }
  ++progress_.steps;
  if (masked_) masked_->after_step(progress_.steps);
  if (average_) average_->update();
  if (masked_ && average_) masked_->apply_to(average_->averages());
  ++progress_.step;
  progress_.loss_sum += report.loss * static_cast<double>(batch.global_count);
  progress_.loss_samples += batch.global_count;
  trained_samples_ += batch.global_count;
  show_progress(batch, report.loss);
}

void Training::end_epoch() {
  const std::int64_t duration = now_ns() - epoch_began_ns_;
  training_ns_ += duration;
  train::EpochSummary summary;
  summary.epoch = progress_.epoch;
  summary.loss = progress_.loss_sum / static_cast<double>(std::max<std::int64_t>(1, progress_.loss_samples));
  summary.learning_rate = train::learning_rate(schedule_, progress_.steps - 1);
  summary.duration_ns = duration;
  summary.top1 = held_out_top1();
  progress_.history.push_back(summary);
  if (!progress_.best_metric || *summary.top1 > *progress_.best_metric) {
    progress_.best_metric = summary.top1;
    progress_.best_steps = progress_.steps;
  }
  if (early_stopping_) early_stopping_->add(*summary.top1);
  ++progress_.epoch;
  progress_.step = 0;
  progress_.loss_sum = 0.0;
  progress_.loss_samples = 0;
}

// Known to every rank: early stopping is everybody's.
double Training::held_out_top1() {
  const Answers& answers = held_out_answers().answers;
  double top1 = 0.0;
  if (leads()) {
    results::Summary summary;
    score(answers.logits, static_cast<std::int64_t>(answers.logits.size() / answers.labels.size()), answers.labels, summary);
    top1 = summary.top1.value_or(0.0);
  }
  communicator_.broadcast(std::span(&top1, 1), 0);
  return top1;
}

// "epoch 3/20, step 17/79: loss 1.234, 61.2 % of held-out images right, 812 images/s, 4 min left"
void Training::show_progress(const data::TrainingBatch& batch, double loss) {
  if (!context_.progress) return;
  const auto all = static_cast<double>(schedule_.epochs * steps_per_epoch_);
  const auto done = static_cast<double>(progress_.steps), here = static_cast<double>(progress_.steps - began_at_step_);
  const double seconds = static_cast<double>(training_ns_ + now_ns() - epoch_began_ns_) / 1e9;  // without the teacher's time
  std::string text = fmt::format("epoch {}/{}, step {}/{}: loss {:.3f}", batch.epoch + 1, schedule_.epochs, batch.step + 1, steps_per_epoch_, loss);
  if (!progress_.history.empty() && progress_.history.back().top1) text += fmt::format(", {:.1f} % of held-out images right", 100.0 * *progress_.history.back().top1);
  const double rate = here * loader_options_.batch / seconds;
  const auto left_ns = static_cast<std::int64_t>(1e9 * seconds / here * (all - done));
  text += fmt::format(", {:.0f} images/s, {} left", rate, results::duration_text(static_cast<double>(left_ns)));
  context_.progress({done / all, text, loss, rate, left_ns});
}

bool Training::checkpoint_is_due(bool epoch_ended) {
  if (!keeps_checkpoints_) return false;
  const CheckpointSpec& due = spec_.checkpoint;
  const bool by_steps = due.every_steps && progress_.steps % *due.every_steps == 0;
  const bool by_time = due.every_ns && due_by_time();
  const bool by_epochs = !due.every_steps && !due.every_ns && epoch_ended && progress_.epoch % due.every_epochs.value_or(1) == 0;
  // The best of all epochs is wanted in the end.
  const bool best = early_stopping_ && epoch_ended && progress_.best_steps == progress_.steps;
  const bool last = epoch_ended && progress_.epoch == schedule_.epochs;
  return by_steps || by_time || by_epochs || best || last;
}

// By the leader's clock, where all have to bring their parts.
bool Training::due_by_time() {
  std::int64_t due = now_ns() - saved_at_ns_ >= *spec_.checkpoint.every_ns ? 1 : 0;
  if (split_) communicator_.broadcast(std::span(&due, 1), 0);
  return due != 0;
}

void Training::save() {
  if (!takes_part_in_saving()) return;
  const train::Checkpoint whole = split_ ? split_->state().gathered(checkpoint()) : checkpoint();
  if (checkpoints_) checkpoints_->save(whole);
  saved_at_ns_ = now_ns();
}

// Whose reports say what is done aside, and leave the fraction where training is: the whole is not begun anew.
TaskContext Training::aside() const {
  TaskContext context{communicator_, context_.threads, {}, context_.cancelled, false, {}, {}, {}};
  if (!context_.progress) return context;
  const double done = static_cast<double>(progress_.steps) / static_cast<double>(std::max<std::int64_t>(1, schedule_.epochs * steps_per_epoch_));
  context.progress = [this, done](const ProgressReport& report) {
    context_.progress({done, fmt::format("epoch {}/{}: {}, {:.0f} %", std::min(progress_.epoch + 1, schedule_.epochs), schedule_.epochs, report.text, 100 * report.fraction), {}, {}, {}});
  };
  return context;
}

Training::HeldOut& Training::held_out_answers() {
  if (last_answers_) return *last_answers_;
  HeldOut now{now_ns(), {}};
  know_all_weights();
  const auto executable = compile_inference(spec_, finished_model(spec_.batch), context_.threads, false);
  executable->stop_when(context_.cancelled);
  now.answers = answer_shard(*executable, held_out_, spec_.batch, loader_options_.preprocess, aside(), "held-out images");
  gather_answers(communicator_, now.answers);
  return last_answers_.emplace(std::move(now));
}

results::JobRecord Training::record() {
  auto& [began_ns, answers] = held_out_answers();
  results::JobRecord record;
  record.summary.time_to_first_inference_ns = std::max<std::int64_t>(0, answers.first_ended_ns - began_ns);
  record.latency_ns = std::move(answers.latency_ns);
  record.labels = std::move(answers.labels);
  record.logits = std::move(answers.logits);
  note_traffic(communicator_, row_);
  if (split_) split_->note_times(row_);
  record.ranks = {row_};
  trainer_->compiled().when_gradient_is_ready({});  // the steps that are timed for the layer table are no training
  if (split_) {
    record.layers = layers_of_all(communicator_, &trainer_->compiled().executable(), split_->has_layers_of_its_own());
  } else if (leads()) {
    record.layers = layer_table(trainer_->compiled().executable());
  }
  if (!leads()) return record;
  keep_weights();
  record.batch = spec_.batch;
  record.repeats = 1;
  record.calls = static_cast<std::int64_t>(record.latency_ns.size());
  complete_answers(record, static_cast<std::int64_t>(record.logits.size() / record.labels.size()));
  record.summary.samples = held_out_.size();
  if (training_ns_ > 0) record.summary.throughput_samples_per_second = 1e9 * static_cast<double>(trained_samples_) / static_cast<double>(training_ns_);
  record.model = model_record_;
  for (const train::EpochSummary& epoch : progress_.history) {
    const double rate = 1e9 * static_cast<double>(steps_per_epoch_ * loader_options_.batch) / static_cast<double>(std::max<std::int64_t>(1, epoch.duration_ns));
    record.training.push_back({static_cast<int>(epoch.epoch) + 1, epoch.loss, epoch.top1.value_or(std::nan("")), epoch.learning_rate, rate});
  }
  return record;
}

}  // namespace edgelab::tasks
