// Task `infer`: latency, call by call, over real images. Nothing else works while a call is timed: images are prepared
// beforehand, a chunk at a time, by all threads of the rank.
#include <optional>

#include "tasks/measurement.hpp"
#include "tasks/mistakes.hpp"
#include "tasks/model_setup.hpp"
#include "tasks/prepared_images.hpp"
#include "tasks/scenario/scenario_tasks.hpp"
#include "tasks/scores.hpp"
#include "tasks/split/layout.hpp"
#include "tasks/split/split_tasks.hpp"
#include "tasks/task_list.hpp"
#include "tasks/telemetry/job_telemetry.hpp"

namespace edgelab::tasks {
namespace {

class InferRun {
 public:
  InferRun(const JobSpec& spec, TaskContext& context, std::int64_t started)
      : spec_(spec), context_(context), dataset_(data::open_dataset(dataset_options(spec))),
        model_(load_model(spec, dataset_.classes(), context)),
        images_(dataset_, preprocess_options(spec, model_.options), spec.batch, model_.executable->input().elements() / spec.batch, context.threads) {
    load_ns_ = now_ns() - started;
    record_.batch = spec.batch;
    record_.calls = images_.calls();
    record_.repeats = spec.measure.repeats;
    images_.load(0, true);
    fill_input(*model_.executable, images_.call(0));
    model_.executable->run();
    record_.summary.time_to_first_inference_ns = now_ns() - started;
  }

  results::JobRecord run() {
    const int passes = spec_.measure.warmup + spec_.measure.repeats;
    std::optional<MeasuredWindow> window;
    for (int pass = 0; pass < passes; ++pass) {
      const bool timed = pass >= spec_.measure.warmup;
      for (std::int64_t c = 0; c < record_.calls; ++c) {
        throw_if_cancelled(context_);
        if (!images_.holds(c)) window.reset();
        images_.load(c);
        if (timed && !window) window.emplace(context_);
        fill_input(*model_.executable, images_.call(c));
        const std::int64_t time = timed_call(*model_.executable);
        compute_ns_ += time;
        if (timed) record_.latency_ns.push_back(time);
        if (timed) window->add_samples(samples_of(c));
        if (pass + 1 == passes) keep_answers(c);
        report(context_, static_cast<double>(pass * record_.calls + c + 1) / static_cast<double>(passes * record_.calls), timed ? "measuring" : "warming up",
               rate_of(spec_.batch, time));
      }
    }
    window.reset();
    finish();
    return std::move(record_);
  }

 private:
  std::int64_t samples_of(std::int64_t c) const { return std::min<std::int64_t>(spec_.batch, dataset_.size() - c * spec_.batch); }

  void keep_answers(std::int64_t c) {
    const std::int64_t samples = samples_of(c);
    const Tensor output = model_.executable->output();
    const auto logits = output.as<float>().first(static_cast<std::size_t>(samples * model_.classes));
    record_.logits.insert(record_.logits.end(), logits.begin(), logits.end());
    for (std::int64_t i = 0; i < samples; ++i) record_.labels.push_back(dataset_.label(c * spec_.batch + i));
  }

  void finish() {
    complete_answers(record_, model_.classes);
    keep_mistakes(record_, dataset_);
    double total = 0.0;
    for (const std::int64_t time : record_.latency_ns) total += static_cast<double>(time);
    record_.summary.samples = dataset_.size();
    record_.summary.throughput_samples_per_second = 1e9 * static_cast<double>(dataset_.size() * spec_.measure.repeats) / total;
    record_.model = model_.record;
    record_.layers = layer_table(*model_.executable);
    results::RankRow row = own_rank_row(context_, "all layers");
    row.load_ns = load_ns_;
    row.preprocess_ns = images_.preprocess_ns();
    row.compute_ns = compute_ns_;
    record_.ranks = {row};
  }

  const JobSpec& spec_;
  TaskContext& context_;
  data::Dataset dataset_;
  LoadedModel model_;
  PreparedImages images_;
  results::JobRecord record_;
  std::int64_t load_ns_ = 0, compute_ns_ = 0;
};

}  // namespace

results::JobRecord run_infer(const JobSpec& spec, TaskContext& context) {
  if (has_scenario(spec)) return run_scenario_infer(spec, context);
  return splits_model(spec) ? run_split_infer(spec, context) : InferRun(spec, context, now_ns()).run();
}

}  // namespace edgelab::tasks
