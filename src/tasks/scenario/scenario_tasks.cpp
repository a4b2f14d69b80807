#include "tasks/scenario/scenario_tasks.hpp"

#include <algorithm>
#include <chrono>
#include <optional>
#include <thread>

#include "tasks/answers.hpp"
#include "tasks/measurement.hpp"
#include "tasks/mistakes.hpp"
#include "tasks/model_setup.hpp"
#include "tasks/prepared_images.hpp"
#include "tasks/scenario/scenario_record.hpp"
#include "tasks/task_list.hpp"
#include "tasks/telemetry/job_telemetry.hpp"

namespace edgelab::tasks {
namespace {

// A sleeping thread wakes up late, by 50 µs and more; one that looks at the clock does not, but keeps a core busy.
constexpr std::int64_t kSpinNs = 200'000;
constexpr std::int64_t kLongestSleepNs = 100'000'000;  // before it looks whether the job was cancelled

Timer real_timer(const TaskContext& context) {
  const auto wait_until = [&context](std::int64_t time_ns) {
    for (std::int64_t left = time_ns - now_ns(); left > 0; left = time_ns - now_ns()) {
      throw_if_cancelled(context);
      if (left > kSpinNs)
        std::this_thread::sleep_for(std::chrono::nanoseconds(std::min(left - kSpinNs, kLongestSleepNs)));
    }
  };
  return {now_ns, wait_until};
}

// Runs the job's scenario on the model and completes the record with it.
void ask(const JobSpec& spec, const TaskContext& context, LoadedModel& model, const Subject& subject,
         results::RankRow row, results::JobRecord& record) {
  std::optional<MeasuredWindow> window;
  ScenarioHooks hooks;
  hooks.measured_begins = [&] {
    window.reset();
    forget_measured(context);
    window.emplace(context);
  };
  if (context.progress)
    hooks.progress = [&](double fraction, const std::string& what) { context.progress({fraction, what, {}, {}, {}}); };
  hooks.check = [&] { throw_if_cancelled(context); };
  ScenarioOutcome outcome = run_scenario(*spec.scenario, spec.seed, subject, real_timer(context), hooks);
  window->add_samples(outcome.log.samples);
  window.reset();
  for (const std::int64_t time : outcome.log.call_ns) row.compute_ns += time;
  record.batch = spec.batch;
  record_scenario(*spec.scenario, std::move(outcome), spec.batch, record);
  record.model = model.record;
  record.layers = layer_table(*model.executable);
  record.ranks = {row};
}

}  // namespace

bool has_scenario(const JobSpec& spec) {
  return spec.scenario && (spec.task == Task::infer || spec.task == Task::bench);
}

std::vector<SpecProblem> problems_of_scenario(const JobSpec& spec) {
  if (!has_scenario(spec)) return {};
  std::vector<SpecProblem> problems;
  if (spec.ranks > 1)
    problems.push_back({"queries of a scenario go to a model on one rank", "leave out scenario, or say ranks: 1"});
  if (spec.scenario->kind == Scenario::server && !spec.scenario->latency_bound_ns) {
    problems.push_back({"a server needs a latency bound", "say scenario: {kind: server, latency_bound: 15ms}"});
  }
  return problems;
}

results::JobRecord run_scenario_infer(const JobSpec& spec, TaskContext& context) {
  const std::int64_t started = now_ns();
  const data::Dataset dataset = data::open_dataset(dataset_options(spec));
  LoadedModel model = load_model(spec, dataset.classes(), context);
  const data::PreprocessOptions preprocess = preprocess_options(spec, model.options);
  results::RankRow row = own_rank_row(context, "all layers");
  row.load_ns = now_ns() - started;

  Answers answers =
      answer_shard(*model.executable, dataset, spec.batch, preprocess, context, "answering for the accuracy");
  results::JobRecord record;
  record.summary.time_to_first_inference_ns = answers.first_ended_ns - started;
  record.labels = std::move(answers.labels);
  record.logits = std::move(answers.logits);
  complete_answers(record, model.classes);
  keep_mistakes(record, dataset);
  record.summary.samples = dataset.size();

  const std::int64_t floats = model.executable->input().elements() / spec.batch;
  PreparedImages images(dataset, preprocess, spec.batch, floats, context.threads);
  images.load(0);
  row.preprocess_ns = answers.preprocess_ns + images.preprocess_ns();
  const std::int64_t in_memory =
      std::min(dataset.size(), spec.batch * PreparedImages::calls_at_once(images.calls(), spec.batch, floats));
  const auto call = [&](std::span<const std::int64_t> samples) {
    Tensor input = model.executable->input();
    float* to = input.as<float>().data();
    for (const std::int64_t sample : samples) {
      const auto image =
          images.call(sample / spec.batch)
              .subspan(static_cast<std::size_t>(sample % spec.batch * floats), static_cast<std::size_t>(floats));
      to = std::copy(image.begin(), image.end(), to);
    }
    model.executable->run();
  };
  ask(spec, context, model, {spec.batch, in_memory, call}, row, record);
  return record;
}

results::JobRecord run_scenario_bench(const JobSpec& spec, TaskContext& context) {
  const std::int64_t started = now_ns();
  LoadedModel model = load_model(spec, data::usual_classes(spec.data.dataset), context);
  results::RankRow row = own_rank_row(context, "all layers");
  row.load_ns = now_ns() - started;
  fill_with_noise(*model.executable, spec.seed);
  model.executable->run();
  results::JobRecord record;
  record.summary.time_to_first_inference_ns = now_ns() - started;
  for (int i = 0; i < 3 * spec.measure.warmup; ++i) model.executable->run();
  record.summary.samples = spec.batch;
  ask(spec, context, model, {spec.batch, spec.batch, [&](std::span<const std::int64_t>) { model.executable->run(); }},
      row, record);
  const Tensor output = model.executable->output();
  const auto logits = output.as<float>();
  record.logits.assign(logits.begin(), logits.end());
  complete_answers(record, model.classes);
  return record;
}

}  // namespace edgelab::tasks
