// Task `evaluate`: accuracy over a data set, once through, with images prepared ahead of the computation. With several
// ranks each takes a contiguous share of the samples, and rank 0 puts the answers together in data-set order.
#include <optional>

#include "data/loader.hpp"
#include "tasks/answers.hpp"
#include "tasks/measurement.hpp"
#include "tasks/mistakes.hpp"
#include "tasks/model_setup.hpp"
#include "tasks/split/layout.hpp"
#include "tasks/split/split_tasks.hpp"
#include "tasks/task_list.hpp"
#include "tasks/telemetry/job_telemetry.hpp"

namespace edgelab::tasks {
namespace {

std::string role_of(const parallel::Communicator& communicator, const data::Shard& shard) {
  if (communicator.size() == 1) return "all layers";
  return "shard " + std::to_string(communicator.rank() + 1) + " of " + std::to_string(communicator.size()) + ": samples " +
         std::to_string(shard.begin) + " to " + std::to_string(shard.end - 1);
}

}  // namespace

results::JobRecord run_evaluate(const JobSpec& spec, TaskContext& context) {
  if (splits_model(spec)) return run_split_evaluate(spec, context);
  const std::int64_t started = now_ns();
  const parallel::Communicator& communicator = context.communicator;
  const data::Dataset dataset = data::open_dataset(dataset_options(spec));
  LoadedModel model = load_model(spec, dataset.classes(), context);
  const data::Shard shard = data::shard_of(dataset.size(), communicator.rank(), communicator.size());
  results::RankRow row = own_rank_row(context, role_of(communicator, shard));
  row.load_ns = now_ns() - started;
  for (int i = 0; i < spec.measure.warmup; ++i) model.executable->run();

  results::JobRecord record;
  std::optional<MeasuredWindow> window(std::in_place, context);
  communicator.barrier();
  const std::int64_t began = now_ns();
  Answers answers = answer_shard(*model.executable, dataset, spec.batch, preprocess_options(spec, model.options), context, "evaluating");
  row.preprocess_ns = answers.preprocess_ns;
  row.compute_ns = answers.compute_ns;
  if (answers.first_ended_ns != 0) record.summary.time_to_first_inference_ns = answers.first_ended_ns - started;
  const auto wall_ns = communicator.all_reduce(now_ns() - began, parallel::Reduction::max);
  window->add_samples(dataset.size());
  window.reset();

  gather_answers(communicator, answers);
  record.latency_ns = std::move(answers.latency_ns);
  record.labels = std::move(answers.labels);
  record.logits = std::move(answers.logits);
  note_traffic(communicator, row);
  record.ranks = {row};
  if (communicator.rank() != 0) return record;

  record.batch = spec.batch;
  record.repeats = 1;
  record.calls = static_cast<std::int64_t>(record.latency_ns.size());
  complete_answers(record, model.classes);
  keep_mistakes(record, dataset);
  record.summary.samples = dataset.size();
  record.summary.throughput_samples_per_second = 1e9 * static_cast<double>(dataset.size()) / static_cast<double>(wall_ns);
  record.model = model.record;
  record.layers = layer_table(*model.executable);
  return record;
}

}  // namespace edgelab::tasks
