#include "tasks/forecast.hpp"

#include <algorithm>

#include "data/loader.hpp"
#include "tasks/measurement.hpp"
#include "tasks/model_setup.hpp"
#include "tasks/task.hpp"

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
