#include "tasks/forecast.hpp"

#include <algorithm>

#include "data/loader.hpp"
#include "graph/split/blocks.hpp"
#include "graph/split/cut.hpp"
#include "graph/split/training_part.hpp"
#include "kernels/message/all_reduce.hpp"
#include "kernels/message/gradient_sum.hpp"
#include "tasks/device.hpp"
#include "tasks/measurement.hpp"
#include "tasks/model_setup.hpp"
#include "tasks/split/layout.hpp"
#include "tasks/split/micro_batches.hpp"
#include "tasks/task.hpp"
#include "tasks/training/model_to_train.hpp"
#include "tasks/training/parts/split_training.hpp"
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
  if (spec.ranks == 1) return "one rank runs the whole model";
  return std::to_string(spec.ranks) + " ranks each run the whole model on " + std::to_string(data::shard_of(samples, 0, spec.ranks).size()) +
         " samples or one less: the images are independent, so only the answers travel";
}

// What a step of a split model's training takes and sends, if stages or shares are even, from the time of one micro-batch on one rank.
void share_out(const JobSpec& spec, const graph::Graph& model, std::int64_t parts, const parallel::Link& link, Forecast& result) {
  const Ways ways = ways_of(spec);
  const std::int64_t ranks = spec.ranks / ways.data, part_ns = result.latency_ns / parts;
  const parallel::Wire wire = wire_of(spec.parallel.wire);
  const graph::Blocks blocks = graph::blocks_of(model);
  double bytes = 0.0;  // of a micro-batch, each way, by all ranks
  if (ways.pipeline > 1) {
    for (std::int64_t stage = 1; stage < ranks; ++stage) {
      const std::size_t block = static_cast<std::size_t>(stage) * blocks.first.size() / static_cast<std::size_t>(ranks);
      for (const graph::ValueId id : graph::values_over(model, blocks.first[block])) bytes += static_cast<double>(parallel::wire_bytes(wire, model.type(id)));
    }
    result.latency_ns = (parts + ranks - 1) * part_ns / ranks;  // filling and emptying the pipeline is one step's
    result.layout = std::to_string(ranks) + " stages, " + std::to_string(parts) + " micro-batches a step: a pipeline of training (1F1B)";
  } else {
    const std::vector<double> even(static_cast<std::size_t>(ranks), 1.0);
    const graph::Graph part = graph::tensor_training_part(model, {0, even, nullptr}).graph;
    for (const graph::Node& node : part.nodes()) {
      const bool sum = node.op.as<kernels::AllReduce>() != nullptr || node.op.as<kernels::GradientSum>() != nullptr;
      if (sum) bytes += static_cast<double>(ranks - 1) * static_cast<double>(parallel::wire_bytes(wire, part.type(node.outputs[0])));
    }
    const double share = static_cast<double>(part.flop()) / static_cast<double>(model.flop());
    const double messages_ns = 2 * bytes / static_cast<double>(ranks) * link.ns_per_byte;
    result.latency_ns = parts * static_cast<std::int64_t>(share * static_cast<double>(part_ns) + messages_ns);
    result.layout = std::to_string(ranks) + " ranks share heads and hidden units of every block, and add up what they make of them";
  }
  const auto gradients = static_cast<double>(result.parameters) * sizeof(float);
  if (ways.data > 1) {
    result.layout = std::to_string(ways.data) + " copies with a share of each batch, whose gradients are added up, of " + result.layout;
    result.latency_ns += static_cast<std::int64_t>(2.0 * gradients / static_cast<double>(ranks) * link.ns_per_byte);
  }
  result.wire_bytes = static_cast<std::int64_t>(2.0 * static_cast<double>(result.calls) * (ways.data * bytes * static_cast<double>(parts) + (ways.data - 1) * gradients));
  result.total_ns = result.calls * result.latency_ns;
}

// Of one step, on zeros: no kernel here takes a time that depends on values.
Forecast forecast_training(const JobSpec& given, std::optional<int> classes, int threads, const parallel::Link& link, Forecast result) {
  JobSpec spec = given;
  spec.model.weights.job.clear();  // nothing has run yet
  const models::ModelOptions options = model_options(spec, classes);
  const bool split = splits_model(spec) && spec.ranks > 1;
  const std::int64_t batch = batch_of(spec), rows = split ? batch_of_copy(spec) : ceiling(batch, spec.ranks), parts = split ? parts_of_batch(spec) : spec.train->accumulate;
  results::ModelRecord record;
  const graph::Graph model = model_to_train(spec, options, split ? rows / parts : rows_of_a_part(spec, rows), {}, threads, record);
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
  if (split) {
    share_out(spec, model, parts, link, result);
    return result;
  }
  std::int64_t gradient_bytes = 0;
  for (std::size_t i = 0; i < step.gradients(); ++i) gradient_bytes += static_cast<std::int64_t>(step.gradient(i).size_bytes());
  result.wire_bytes = spec.ranks == 1 ? 0 : result.calls * 2 * (spec.ranks - 1) * gradient_bytes;
  result.layout = spec.ranks == 1 ? "one rank takes all steps"
                                  : std::to_string(spec.ranks) + " ranks each take " + std::to_string(rows) + " samples or one less of every batch of " +
                                        std::to_string(batch) + ", and add up their gradients";
  return result;
}

// From each layer's time on this machine; every rank is taken to be as fast.
Forecast forecast_split(const JobSpec& given, std::optional<int> classes, int threads, const parallel::Link& link, Forecast result) {
  JobSpec spec = given;
  spec.model.weights.job.clear();  // nothing has run yet
  const MicroBatches batches(result.samples, spec.batch, spec.parallel.microbatch);
  results::ModelRecord record;
  const models::ModelOptions options = model_options(spec, classes);
  const BoundModel bound = model_to_run(spec, options, batches.size(), {}, threads, record);
  const graph::Graph graph = inference_graph(spec, bound);
  MeasuredCosts costs;
  costs.nodes = measured_nodes(spec, graph, threads);
  costs.slowness.assign(static_cast<std::size_t>(spec.ranks), 1.0);
  costs.link = link;
  const bool automatic = spec.parallel.strategy == Strategy::automatic;
  const parallel::Wire wire = wire_of(spec.parallel.wire);
  const Workload work{result.samples, spec.batch};
  for (const Ways& ways : layouts_for(spec.ranks)) result.layouts.push_back(predict(graph, costs, ways, wire, work));
  const std::size_t best = best_of(result.layouts, objective_of(spec));
  result.chosen = best;
  if (!automatic) {
    const auto own = std::find_if(result.layouts.begin(), result.layouts.end(), [&](const Prediction& each) { return each.ways == ways_of(spec) && spec.parallel.partition.empty(); });
    result.chosen = static_cast<std::size_t>(own - result.layouts.begin());
    // A cut of the job's own stands beside the best one.
    if (own == result.layouts.end()) result.layouts.push_back(predict(graph, costs, ways_of(spec), wire, {result.samples, spec.batch, spec.parallel.partition}));
  }
  const Prediction& chosen = result.layouts[result.chosen];
  if (!chosen.refusal.empty()) throw Error(ErrorKind::usage, "job " + spec.id + ": " + chosen.refusal).at(spec.place);
  const int passes = spec.task == Task::infer ? spec.measure.warmup + spec.measure.repeats : 1;
  result.parameters = record.parameters;
  result.flop_per_sample = record.flop_per_sample;
  result.weight_bytes = chosen.weight_bytes;
  result.calls = passes * batches.calls();
  result.latency_ns = static_cast<std::int64_t>(chosen.latency_ns);
  result.total_ns = static_cast<std::int64_t>(1e9 * static_cast<double>(passes * result.samples) / chosen.samples_per_second);
  result.wire_bytes = static_cast<std::int64_t>(chosen.wire_bytes * static_cast<double>(passes * batches.count()));
  result.layout = (automatic ? "" : name_of(chosen) + ", as the job says; ") + reason_for(result.layouts, best, objective_of(spec));
  return result;
}

}  // namespace

Forecast forecast(const JobSpec& given, int threads, const parallel::Link& link) {
  JobSpec spec = given;
  spec.device = {chosen_device(given).kind};
  Forecast result;
  std::optional<int> classes = data::usual_classes(spec.data.dataset);
  if (reads_data(spec)) {
    const data::Dataset dataset = data::open_dataset(dataset_options(spec));
    classes = dataset.classes();
    result.samples = dataset.size();
  } else {
    result.samples = spec.batch;
  }
  if (spec.task == Task::train) return forecast_training(spec, classes, threads, link, result);
  if (splits_model(spec)) return forecast_split(spec, classes, threads, link, result);
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
