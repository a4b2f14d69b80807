// Task `bench`: how fast the model runs, on one batch of random numbers; no data set is read.
#include <algorithm>

#include "tasks/measurement.hpp"
#include "tasks/model_setup.hpp"
#include "tasks/scenario/scenario_tasks.hpp"
#include "tasks/task_list.hpp"
#include "tasks/telemetry/job_telemetry.hpp"

namespace edgelab::tasks {
results::JobRecord run_bench(const JobSpec& spec, TaskContext& context) {
  if (has_scenario(spec)) return run_scenario_bench(spec, context);
  const std::int64_t started = now_ns();
  LoadedModel model = load_model(spec, data::usual_classes(spec.data.dataset), context);
  results::RankRow row = own_rank_row(context, "all layers");
  row.load_ns = now_ns() - started;
  fill_with_noise(*model.executable, spec.seed);
  const std::int64_t first = timed_call(*model.executable);

  results::JobRecord record;
  record.summary.time_to_first_inference_ns = now_ns() - started;
  std::int64_t typical = first;
  for (int i = 0; i < 3 * spec.measure.warmup; ++i) typical = std::min(typical, timed_call(*model.executable));
  record.calls = bench_calls_per_repeat(typical);
  record.repeats = spec.measure.repeats;
  record.batch = spec.batch;
  {
    MeasuredWindow window(context);
    for (std::int64_t i = 0; i < record.repeats * record.calls; ++i) {
      throw_if_cancelled(context);
      record.latency_ns.push_back(timed_call(*model.executable));
      row.compute_ns += record.latency_ns.back();
      report(context, static_cast<double>(i + 1) / static_cast<double>(record.repeats * record.calls), "measuring",
             rate_of(spec.batch, record.latency_ns.back()));
    }
    window.add_samples(record.repeats * record.calls * spec.batch);
  }
  record.summary.samples = spec.batch;
  record.summary.throughput_samples_per_second =
      1e9 * static_cast<double>(spec.batch) * static_cast<double>(record.latency_ns.size()) / static_cast<double>(row.compute_ns);
  const Tensor output = model.executable->output();
  const auto logits = output.as<float>();
  record.logits.assign(logits.begin(), logits.end());
  complete_answers(record, model.classes);
  record.model = model.record;
  record.layers = layer_table(*model.executable);
  record.ranks = {row};
  return record;
}

}  // namespace edgelab::tasks
