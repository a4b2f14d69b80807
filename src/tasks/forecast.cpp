#include "tasks/forecast.hpp"

#include <algorithm>

#include "data/loader.hpp"
#include "tasks/measurement.hpp"
#include "tasks/model_setup.hpp"
#include "tasks/task.hpp"
#include "tasks/training/model_to_train.hpp"
#include "tasks/training/settings.hpp"
#include "train/trainable.hpp"

namespace edgelab::tasks {
namespace {

std::int64_t ceiling(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

void count_calls(const JobSpec& spec, Forecast& forecast) {
  const int passes = spec.measure.warmup + spec.measure.repeats;
  switch (spec.task) {
    case Task::infer: forecast.calls = passes * ceiling(forecast.samples, spec.batch); return;
    case Task::evaluate: forecast.calls = ceiling(data::shard_of(forecast.samples, 0, spec.ranks).size(), spec.batch) + spec.measure.warmup; return;
    default: forecast.calls = bench_calls_per_repeat(forecast.latency_ns) * spec.measure.repeats; return;
  }
}

std::string layout_of(const JobSpec& spec, std::int64_t samples) {
  if (spec.ranks == 1) return "one rank runs the whole model: this version splits data over ranks, not models";
  return std::to_string(spec.ranks) + " ranks each run the whole model on " + std::to_string(data::shard_of(samples, 0, spec.ranks).size()) +
         " samples or one less: the images are independent, so only the answers travel";
}

// Of one step, on zeros: no kernel here takes a time that depends on values.
Forecast forecast_training(const JobSpec& given, std::optional<int> classes, int threads, Forecast result) {
  JobSpec spec = given;
  spec.model.weights.job.clear();  // nothing has run yet
  const models::ModelOptions options = model_options(spec, classes);
  const std::int64_t batch = batch_of(spec), rows = ceiling(batch, spec.ranks), parts = spec.train->accumulate;
  results::ModelRecord record;
  const graph::Graph model = model_to_train(spec, options, rows_of_a_part(spec, rows), {}, threads, record);
  const std::vector<std::string> parameters = train::trainable_parameters(model, trainable_settings(spec.train->trainable));
  const train::TrainerSettings settings = trainer_settings(spec, model, parameters, threads, spec.ranks);
  train::TrainingStep step(model, parameters, settings.step);
  step.run();  // the first call pays for pages and threads
  result.parameters = record.parameters;
  result.flop_per_sample = 3 * model.flop() / (rows / parts);  // the backward pass multiplies twice
  result.weight_bytes = record.parameters * static_cast<std::int64_t>(sizeof(float)) + settings.step.bytes_beside;
  result.arena_bytes = static_cast<std::int64_t>(step.executable().plan().arena_bytes());
  result.latency_ns = parts * std::min(timed_call(step.executable()), timed_call(step.executable()));
  result.calls = spec.train->epochs * data::steps_per_epoch(result.samples, batch, spec.train->drop_last);
  result.total_ns = result.calls * result.latency_ns;
  std::int64_t gradient_bytes = 0;
  for (std::size_t i = 0; i < step.gradients(); ++i) gradient_bytes += static_cast<std::int64_t>(step.gradient(i).size_bytes());
  result.wire_bytes = spec.ranks == 1 ? 0 : result.calls * 2 * (spec.ranks - 1) * gradient_bytes;
  result.layout = spec.ranks == 1 ? "one rank takes all steps"
                                  : std::to_string(spec.ranks) + " ranks each take " + std::to_string(rows) + " samples or one less of every batch of " +
                                        std::to_string(batch) + ", and add up their gradients";
  return result;
}

}  // namespace

Forecast forecast(const JobSpec& spec, int threads) {
  Forecast result;
  std::optional<int> classes = data::usual_classes(spec.data.dataset);
  if (reads_data(spec)) {
    const data::Dataset dataset = data::open_dataset(dataset_options(spec));
    classes = dataset.classes();
    result.samples = dataset.size();
  } else {
    result.samples = spec.batch;
  }
  if (spec.task == Task::train) return forecast_training(spec, classes, threads, result);
  LoadedModel model = load_model(spec, classes, threads);
  result.parameters = model.record.parameters;
  result.flop_per_sample = model.record.flop_per_sample;
  result.weight_bytes = model.record.parameters * static_cast<std::int64_t>(sizeof(float));
  result.arena_bytes = static_cast<std::int64_t>(model.executable->plan().arena_bytes());
  model.executable->run();  // the first call pays for pages and threads
  result.latency_ns = std::min(timed_call(*model.executable), timed_call(*model.executable));
  count_calls(spec, result);
  result.total_ns = result.calls * result.latency_ns;
  const std::int64_t answer_bytes = model.classes * static_cast<std::int64_t>(sizeof(float)) + static_cast<std::int64_t>(sizeof(std::int32_t));
  result.wire_bytes = spec.ranks == 1 ? 0 : (result.samples - data::shard_of(result.samples, 0, spec.ranks).size()) * answer_bytes;
  result.layout = layout_of(spec, result.samples);
  return result;
}

}  // namespace edgelab::tasks
