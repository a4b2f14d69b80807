// Tasks `infer` and `evaluate` over ranks that hold parts of one model: as infer.cpp and evaluate.cpp, but that micro-batches follow
// one another through the stages. A call's latency runs from its first micro-batch's entry to its last one's logits on rank 0.
#include "tasks/split/split_tasks.hpp"

#include "core/clock.hpp"
#include "data/loader.hpp"
#include "parallel/together.hpp"
#include "tasks/measurement.hpp"
#include "tasks/model_setup.hpp"
#include "tasks/prepared_images.hpp"
#include "tasks/split/split_run.hpp"
#include "tasks/telemetry/job_telemetry.hpp"

namespace edgelab::tasks {

results::JobRecord run_split_infer(const JobSpec& spec, TaskContext& context) {
  const std::int64_t started = now_ns();
  SplitRun run(spec, context);
  const MicroBatches& batches = run.batches();
  const std::int64_t at_once = PreparedImages::calls_at_once(batches.calls(), spec.batch, run.model().sample_floats());
  std::optional<PreparedImages> images;
  if (run.leads()) images.emplace(run.dataset(), preprocess_options(spec, run.model().options()), spec.batch, run.model().sample_floats(), context.threads, run.shard());
  const auto call = [&](std::int64_t index) { return images->call(index); };

  // What is wrong with an image is everybody's error before anybody waits for what would come of it.
  const auto load = [&](std::int64_t begin, bool first) {
    parallel::together(context.communicator, [&] {
      if (images) images->load(begin, first);
    });
  };
  load(0, true);
  run.send_through(0, 1, call, false, false);
  run.record().summary.time_to_first_inference_ns = now_ns() - started;
  const std::int64_t rounds = run.copies().most((batches.calls() + at_once - 1) / at_once);  // the same for all copies, which take them together
  const int passes = spec.measure.warmup + spec.measure.repeats;
  std::int64_t wall_ns = 0, through = 0;
  const double all = static_cast<double>(passes) * static_cast<double>(batches.count());
  for (int pass = 0; pass < passes; ++pass) {
    const bool timed = pass >= spec.measure.warmup;
    // Stages run empty where new images are prepared, so that nothing else works while they are timed.
    for (std::int64_t round = 0; round < rounds; ++round) {
      throw_if_cancelled(context);
      const std::int64_t begin = std::min(round * at_once, batches.calls()), end = std::min(begin + at_once, batches.calls());
      load(std::min(begin, batches.calls() - 1), false);
      if (pass + 1 == passes && round == 0) run.record_spans();
      std::optional<MeasuredWindow> window;
      if (timed) window.emplace(context);
      context.communicator.barrier();
      run.on_answer([&](std::int64_t answers) { report(context, static_cast<double>(through + answers) / all, timed ? "measuring" : "warming up"); });
      const std::int64_t time = run.copies().most(run.send_through(begin, end, call, timed, pass + 1 == passes));
      const std::int64_t samples = run.copies().sum(batches.samples_before_call(end) - batches.samples_before_call(begin));
      if (timed) wall_ns += time;
      if (timed) window->add_samples(samples);
      through += batches.before_call(end) - batches.before_call(begin);
    }
  }
  run.record().repeats = spec.measure.repeats;
  if (images) run.row().preprocess_ns = images->preprocess_ns();
  return run.finish(wall_ns, spec.measure.repeats);
}

results::JobRecord run_split_evaluate(const JobSpec& spec, TaskContext& context) {
  const std::int64_t started = now_ns();
  SplitRun run(spec, context);
  const MicroBatches& batches = run.batches();
  data::LoaderOptions options;
  options.batch = spec.batch;
  options.preprocess = preprocess_options(spec, run.model().options());
  options.rank = run.copies().index();
  options.ranks = run.copies().count();
  for (int i = 0; i < spec.measure.warmup; ++i) {
    const std::vector<float> zeros(static_cast<std::size_t>(run.leads() ? spec.batch * run.model().sample_floats() : 0));
    run.send_through(0, 1, [&](std::int64_t) { return std::span(zeros); }, false, false);
  }
  std::optional<data::Loader> loader;
  if (run.leads()) loader.emplace(run.dataset(), options);
  std::optional<data::Batch> images;
  const auto next = [&](std::int64_t) {
    const std::int64_t before = now_ns();
    images = loader->next();
    run.row().preprocess_ns += now_ns() - before;
    return std::span<const float>(images->images.as<float>());
  };
  run.on_answer([&](std::int64_t answers) {
    if (!run.record().summary.time_to_first_inference_ns) run.record().summary.time_to_first_inference_ns = now_ns() - started;
    report(context, static_cast<double>(answers) / static_cast<double>(batches.count()), "evaluating");
  });
  run.record_spans();
  std::optional<MeasuredWindow> window(std::in_place, context);
  context.communicator.barrier();
  const std::int64_t wall_ns = run.copies().most(run.send_through(0, batches.calls(), next, true, true));
  window->add_samples(run.copies().sum(batches.samples_before_call(batches.calls())));
  window.reset();
  run.record().repeats = 1;
  return run.finish(wall_ns, 1);
}

}  // namespace edgelab::tasks
