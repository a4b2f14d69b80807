#include "tasks/training/model_to_train.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "core/log.hpp"
#include "models/initial_weights.hpp"
#include "models/model_weights.hpp"
#include "models/reshape.hpp"
#include "models/weights.hpp"
#include "tasks/quantizing/aware.hpp"
#include "tasks/training/settings.hpp"
#include "train/lora.hpp"
#include "train/trainable.hpp"

namespace edgelab::tasks {

namespace {

using models::NamedTensor;

// All weights in memory of their own: what came from a file is a view of it.
void own_weights(graph::Graph& graph) {
  for (const graph::ValueId id : graph.weights()) graph.bind(id, graph.value(id).data.clone());
}

// A classifier for other classes than the file's is drawn anew; everything else must be in the file.
graph::Graph with_new_head(const JobSpec& spec, const models::ModelOptions& options, std::int64_t rows, const WeightsOfJobs& weights) {
  models::ModelWeights file = models::model_weights(weights_file(spec.model, weights));
  graph::Graph graph = models::with_shapes_of(models::build(options, rows), file);
  std::vector<NamedTensor>& tensors = file.tensors;
  bool changed = false;
  for (const graph::ValueId id : graph.weights()) {
    const graph::Value& value = graph.value(id);
    const auto found = std::find_if(tensors.begin(), tensors.end(), [&](const NamedTensor& tensor) { return tensor.name == value.name; });
    if (!train::is_head(value.name) || found == tensors.end() || found->tensor.shape() == value.type.shape) continue;
    found->tensor = models::initial_weight(value.name, value.type.shape, spec.seed);
    changed = true;
  }
  if (changed) log::info("job " + spec.id + ": the classifier is drawn anew, for " + std::to_string(options.classes.value_or(0)) + " classes");
  models::bind(graph, file);
  return spec.task == Task::quantize ? graph_for_integers(graph, file.quantization) : graph;
}

void draw_anew(graph::Graph& graph, const TrainableSpec& which, std::uint64_t seed) {
  const std::vector<std::string> names = train::trainable_parameters(graph, trainable_settings(which));
  for (const graph::ValueId id : graph.weights()) {
    const graph::Value& value = graph.value(id);
    // The running statistics of a normalisation go with its weight.
    const std::string weight = value.name.substr(0, value.name.rfind('.')) + ".weight";
    const bool chosen = std::find(names.begin(), names.end(), value.kind == graph::ValueKind::buffer ? weight : value.name) != names.end();
    if (chosen) graph.bind(id, models::initial_weight(value.name, value.type.shape, seed));
  }
}

}  // namespace

std::int64_t rows_of_a_part(const JobSpec& spec, std::int64_t rows) {
  const std::int64_t parts = spec.train->accumulate;
  if (rows > 0 && rows % parts == 0) return rows / parts;
  throw Error(ErrorKind::usage, "job " + spec.id + ": a rank's samples of a batch can't be worked through in equal parts")
      .at(spec.place)
      .got(std::to_string(rows) + " samples, train.accumulate " + std::to_string(parts))
      .expected("train.batch a multiple of ranks times train.accumulate");
}

graph::Graph model_to_train(const JobSpec& spec, const models::ModelOptions& options, std::int64_t rows, const WeightsOfJobs& weights, int threads,
                            results::ModelRecord& record) {
  graph::Graph graph;
  if (spec.model.weights.random()) {
    graph = bound_model(spec.model, options, rows, spec.seed, Randomness::initial, weights, threads, record).graph;
  } else {
    graph = with_new_head(spec, options, rows, weights);
    record.arch = options.arch;
    record.weights = spec.model.weights.job.empty() ? spec.model.weights.path : "of job " + spec.model.weights.job;
  }
  own_weights(graph);
  if (spec.train->reset) draw_anew(graph, *spec.train->reset, spec.seed);
  if (spec.train->trainable.what == Trainable::lora) graph = train::add_lora(graph, lora_settings(spec.train->trainable.lora), spec.seed);
  record.parameters = graph.parameter_elements();
  return graph;
}

train::TrainerSettings trainer_settings(const JobSpec& spec, const graph::Graph& model, const std::vector<std::string>& parameters, int threads,
                                        int ranks) {
  const TrainSpec& train = *spec.train;
  train::TrainerSettings settings;
  settings.optimizer = optimizer_settings(train);
  settings.accumulate = train.accumulate;
  settings.step.threads = threads;
  settings.step.compute = spec.precision == Precision::bf16 ? DType::bf16 : DType::f32;
  settings.step.memory_limit = spec.memory_limit_bytes;
  settings.step.bytes_beside = train::bytes_beside_step(model, parameters, settings.optimizer, train.accumulate, ranks > 1, train.ema.has_value());
  settings.step.form.uses_batch_statistics = [parameters, frozen = train.batch_norm == BatchNormMode::frozen](const std::string& layer) {
    return !frozen && std::find(parameters.begin(), parameters.end(), layer + ".weight") != parameters.end();
  };
  if (train.distill) {
    settings.step.form.teacher_temperature = train.distill->temperature;
    settings.teacher_weight = train.distill->weight;
  }
  return settings;
}

}  // namespace edgelab::tasks
