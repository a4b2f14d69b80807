#include "tasks/quantizing/quantizing.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "compress/quantize/quantizer.hpp"
#include "compress/quantize/rescale.hpp"
#include "core/error.hpp"
#include "core/log.hpp"
#include "graph/passes/passes.hpp"
#include "models/model_file.hpp"
#include "models/weights.hpp"
#include "tasks/agreed.hpp"
#include "tasks/measurement.hpp"
#include "tasks/model_setup.hpp"
#include "tasks/quantizing/aware.hpp"
#include "tasks/quantizing/calibration.hpp"
#include "tasks/quantizing/settings.hpp"
#include "tasks/task_list.hpp"
#include "tasks/training/settings.hpp"
#include "tasks/training/training.hpp"

namespace edgelab::tasks {
namespace {

// The weights of a folded graph, each in memory of its own.
graph::Graph owning(graph::Graph graph) {
  for (const graph::ValueId id : graph.weights()) graph.bind(id, graph.value(id).data.clone());
  return graph;
}

}  // namespace

Quantizing::Quantizing(const JobSpec& spec, TaskContext& context, Calibrations* calibrations) : spec_(spec), job_(job_of_quantizing(spec)), context_(context) {
  options_ = model_options(spec, data::open_dataset(dataset_options(spec)).classes());
  const std::string how = fmt::format("equalise {}, smooth {}", spec.quantize->equalise, spec.quantize->smooth.value_or(-1.0));
  if (calibrations != nullptr && calibrations->contains(how)) {
    calibrated_ = calibrations->at(how);
    return;
  }
  calibrated_ = calibrated();
  if (calibrations != nullptr) calibrations->emplace(how, calibrated_);
}

std::shared_ptr<const Quantizing::Calibrated> Quantizing::calibrated() const {
  Calibrated seen = observed(agreed(context_.communicator, [&] {
    results::ModelRecord unused;
    const BoundModel model = bound_model(spec_.model, options_, 1, spec_.seed, Randomness::lively, context_.weights_of_jobs, context_.threads, unused);
    return models::model_file(model.graph, options_);
  }));
  // The answers stay, the ranges do not: everything is looked at again.
  if (spec_.quantize->equalise || spec_.quantize->smooth) seen = observed(rescaled(seen));
  return std::make_shared<const Calibrated>(std::move(seen));
}

Quantizing::Calibrated Quantizing::observed(File floats) const {
  compress::Observer observer(float_model(floats, kCalibrationBatch));
  calibrate(observer, spec_, options_, context_);
  return {std::move(floats), std::move(observer)};
}

results::JobRecord Quantizing::run() {
  results::JobRecord training;
  std::vector<results::SensitivityRow> sensitivity;
  std::vector<std::string> kept = spec_.quantize->keep_fp32;
  if (spec_.quantize->mixed) kept = layers_to_keep(sensitivity);
  take(quantized(kept));
  if (spec_.quantize->qat) {
    TaskContext context = context_;
    if (!context.folder.empty()) context.folder = context.folder / "qat";
    training = Training(job_, context).run();
    take(agreed(context_.communicator, [&] { return std::move(context.made_weights); }));
  }
  results::JobRecord record = evaluated();
  record.training = std::move(training.training);
  record.sensitivity = std::move(sensitivity);
  return record;
}

void Quantizing::take(File file) {
  context_.weights_of_jobs[spec_.id] = std::move(file);
  job_.model.weights = {"", spec_.id};
}

graph::Graph Quantizing::float_model(const File& floats, std::int64_t batch) const {
  WeightsOfJobs weights;
  weights[spec_.id] = floats;
  ModelSpec model = spec_.model;
  model.weights = {"", spec_.id};
  results::ModelRecord unused;
  return owning(graph::fold_weights(bound_model(model, options_, batch, spec_.seed, Randomness::lively, weights, context_.threads, unused).graph));
}

// The folded model with what became of its weights in `layers`, where tokens and the like are constants.
graph::Graph Quantizing::with_weights_of(const File& floats, const graph::Graph& layers) const {
  graph::Graph folded = float_model(floats, 1);
  std::map<std::string, Tensor> now;
  for (const models::NamedTensor& item : models::named_weights(layers)) now.emplace(item.name, item.tensor);
  for (const graph::ValueId id : folded.weights()) {
    if (const auto found = now.find(folded.value(id).name); found != now.end()) folded.bind(id, found->second);
  }
  return folded;
}

Quantizing::File Quantizing::rescaled(const Calibrated& seen) const {
  return agreed(context_.communicator, [&] {
    graph::Graph layers = seen.observer.graph();
    if (spec_.quantize->equalise) compress::equalise(layers, seen.observer);
    if (spec_.quantize->smooth) compress::smooth(layers, seen.observer, *spec_.quantize->smooth);
    const std::vector<models::NamedTensor> folded = models::named_weights(with_weights_of(seen.floats, layers));
    return models::model_file(with_folded_weights(folded, options_, 1), options_);
  });
}

// The model on its grids but for these layers, as a file for every rank.
Quantizing::File Quantizing::quantized(const std::vector<std::string>& kept) const {
  return agreed(context_.communicator, [&] {
    // Rounding works in the observer's own weights: on a copy, so that it can be asked again.
    compress::Observer observer = calibrated_->observer;
    observer.own_weights();
    compress::QuantizerSettings settings = quantizer_settings(*spec_.quantize);
    settings.keep = kept;
    const graph::Quantization quantization = compress::quantized(observer, settings);
    return models::quantized_model_file(with_weights_of(calibrated_->floats, observer.graph()), options_, quantization);
  });
}

Verdict Quantizing::verdict_without(const std::vector<std::string>& kept) const {
  WeightsOfJobs weights;
  weights[spec_.id] = quantized(kept);
  ModelSpec model = spec_.model;
  model.weights = {"", spec_.id};
  results::ModelRecord unused;
  BoundModel bound = bound_model(model, options_, spec_.batch, spec_.seed, Randomness::lively, weights, context_.threads, unused);
  return tried_on(data::open_dataset(validation_options(job_)), job_, std::move(bound), options_, context_);
}

// What each layer alone costs in integers, all others being floats; the first row is the float model.
std::vector<results::SensitivityRow> Quantizing::scanned(const Verdict& floats) {
  std::vector<std::string> names;
  for (const compress::QuantizableLayer& layer : compress::quantizable(calibrated_->observer.graph())) names.push_back(layer.name);
  for (const graph::Node* attention : compress::quantizable_attentions(calibrated_->observer.graph())) names.push_back(attention->name);
  std::vector<results::SensitivityRow> rows = {{"none", 0.0, floats.top1, floats.loss}};
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (std::ranges::find(spec_.quantize->keep_fp32, names[i]) != spec_.quantize->keep_fp32.end()) continue;
    report(context_, static_cast<double>(i) / static_cast<double>(names.size()), fmt::format("{} alone in integers", names[i]).c_str());
    std::vector<std::string> others = names;
    std::erase(others, names[i]);
    const Verdict verdict = verdict_without(others);
    rows.push_back({names[i], 0.0, verdict.top1, verdict.loss});
  }
  return rows;
}

// The fewest layers, those first whose integers alone cost most loss, without which the accuracy is within the budget.
std::vector<std::string> Quantizing::layers_to_keep(std::vector<results::SensitivityRow>& rows) {
  JobSpec floats = job_;
  floats.task = Task::evaluate;
  floats.precision = Precision::fp32;
  const data::Dataset held_out = data::open_dataset(validation_options(job_));
  const Verdict before = tried_on(held_out, floats, {float_model(calibrated_->floats, spec_.batch), {}}, options_, context_);
  rows = scanned(before);
  std::vector<results::SensitivityRow> order(rows.begin() + 1, rows.end());
  std::ranges::stable_sort(order, [](const auto& a, const auto& b) { return a.loss > b.loss; });
  const double least = before.top1 - spec_.quantize->mixed->accuracy_budget / 100.0;
  const auto kept = [&](std::size_t count) {
    std::vector<std::string> names = spec_.quantize->keep_fp32;
    for (std::size_t i = 0; i < count; ++i) names.push_back(order[i].layer);
    return names;
  };
  const auto holds = [&](std::size_t count) {
    report(context_, 0.5, fmt::format("{} layers in floats", count).c_str());
    return verdict_without(kept(count)).top1 >= least;
  };
  // Doubled until it holds, then halved: more floats seldom make it worse, and what is taken was tried.
  std::size_t too_few = 0, enough = 0;
  if (!holds(0)) {
    for (enough = 1; enough < order.size() && !holds(enough); enough = std::min(2 * enough, order.size())) too_few = enough;
    while (enough - too_few > 1) {
      const std::size_t middle = (too_few + enough) / 2;
      (holds(middle) ? enough : too_few) = middle;
    }
  }
  if (leads()) log::info(fmt::format("job {}: {} of {} layers stay in floating point", spec_.id, enough, order.size()));
  return kept(enough);
}

results::JobRecord Quantizing::evaluated() {
  JobSpec evaluation = job_;
  evaluation.task = Task::evaluate;
  if (evaluation.precision != Precision::mixed) evaluation.precision = Precision::int8;
  evaluation.data = validation_data(job_);
  results::JobRecord record = run_evaluate(evaluation, context_);
  if (leads()) context_.made_weights = context_.weights_of_jobs.at(spec_.id);
  return record;
}

}  // namespace edgelab::tasks
