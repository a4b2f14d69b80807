#include "tasks/quantizing/searching.hpp"

#include <optional>

#include "models/arch.hpp"
#include "tasks/quantizing/quantizing.hpp"
#include "tasks/quantizing/settings.hpp"
#include "tasks/training/settings.hpp"
#include "tasks/verdict.hpp"

namespace edgelab::tasks {
namespace {

using search::Dimension;
using search::LoggedTrial;

constexpr double kPoints = 1.0;  // that `size` may lose where the job says nothing

bool convolutional(const JobSpec& spec) { return models::arch_named(spec.model.arch).family == models::Family::mobilenet_v2; }

// The layers at the ends of the two families, which are said to be the most sensitive.
std::string first_layer(const JobSpec& spec) { return convolutional(spec) ? "features.0.0" : "patch_embed.proj"; }
std::string last_layer(const JobSpec& spec) { return convolutional(spec) ? "classifier.1" : "head"; }

template <class Enum> Enum chosen(const std::vector<double>& point, std::size_t axis) { return static_cast<Enum>(static_cast<int>(point[axis])); }

// How good a trial is, of the accuracy that floats have.
double worth_of(const LoggedTrial& trial, const JobSpec& spec, double floats) {
  switch (spec.quantize->search->objective) {
    case SearchObjective::top1: return trial.top1;
    case SearchObjective::loss: return -trial.loss;
    case SearchObjective::size: {
      const double budget = spec.quantize->mixed ? spec.quantize->mixed->accuracy_budget : kPoints;
      const double missing = floats - budget / 100.0 - trial.top1;
      return missing > 1e-9 ? -1e15 * missing : -static_cast<double>(trial.bytes);
    }
  }
  return 0.0;
}

// What the floats get right of the images that trials are judged by. Collective.
double accuracy_of_floats(const JobSpec& spec, TaskContext& context) {
  JobSpec floats = job_of_quantizing(spec);
  floats.task = Task::evaluate;
  floats.precision = Precision::fp32;
  const models::ModelOptions options = model_options(floats, data::open_dataset(dataset_options(spec)).classes());
  results::ModelRecord unused;
  BoundModel model = bound_model(spec.model, options, spec.batch, spec.seed, Randomness::lively, context.weights_of_jobs, context.threads, unused);
  return tried_on(data::open_dataset(validation_options(floats)), floats, {std::move(model.graph), {}}, options, context).top1;
}

}  // namespace

std::vector<Dimension> searched_space(const JobSpec& spec) {
  std::vector<Dimension> space = {{"calibration", {"minmax", "percentile", "mse", "kl"}},
                                  {"scheme", {"symmetric", "affine"}},
                                  {"correct_bias", {"no", "yes"}},
                                  {"keep_fp32", {"none more", "the first layer", "the last layer", "both"}}};
  if (convolutional(spec)) {
    space.push_back({"equalise", {"no", "yes"}});
  } else {
    space.push_back({"smooth", {"no", "0.3", "0.5", "0.7"}});
  }
  if (spec.quantize->search->objective == SearchObjective::size) space.push_back({"weights", {"int8", "int4"}});
  if (spec.quantize->qat) space.push_back({"lr", {}, spec.quantize->qat->optimizer.lr / 10.0, spec.quantize->qat->optimizer.lr * 10.0, true});
  return space;
}

JobSpec with_settings(const JobSpec& spec, const std::vector<Dimension>& space, const std::vector<double>& point) {
  JobSpec result = spec;
  QuantizeSpec& quantize = *result.quantize;
  if (quantize.search->objective == SearchObjective::size) quantize.mixed.reset();  // its budget is the search's
  quantize.search.reset();
  for (std::size_t axis = 0; axis < point.size(); ++axis) {
    const std::string& name = space[axis].name;
    if (name == "calibration") quantize.calibration.method = chosen<CalibrationMethod>(point, axis);
    if (name == "scheme") quantize.scheme = chosen<Scheme>(point, axis);
    if (name == "correct_bias") quantize.correct_bias = point[axis] == 1.0;
    if (name == "keep_fp32" && (point[axis] == 1.0 || point[axis] == 3.0)) quantize.keep_fp32.push_back(first_layer(spec));
    if (name == "keep_fp32" && point[axis] >= 2.0) quantize.keep_fp32.push_back(last_layer(spec));
    if (name == "equalise") quantize.equalise = point[axis] == 1.0;
    if (name == "smooth") quantize.smooth = point[axis] == 0.0 ? std::nullopt : std::optional(std::stod(space[axis].choices[static_cast<std::size_t>(point[axis])]));
    if (name == "weights") quantize.weights = chosen<WeightBits>(point, axis);
    if (name == "lr") quantize.qat->optimizer.lr = point[axis];
  }
  return result;
}

SearchedJob searched_settings(const JobSpec& spec, TaskContext& context) {
  const double floats = spec.quantize->search->objective == SearchObjective::size ? accuracy_of_floats(spec, context) : 0.0;
  Quantizing::Calibrations calibrations;  // of all trials of this rank
  const std::vector<Dimension> space = searched_space(spec);
  const Searched searched{*spec.quantize->search, space, [&](const LoggedTrial& trial) { return worth_of(trial, spec, floats); },
                          [&](const std::vector<double>& point, TaskContext& alone) { return Quantizing(with_settings(spec, space, point), alone, &calibrations).run(); }};
  Found found = search_settings(spec, searched, context);
  return {with_settings(spec, space, found.point), std::move(found.trials)};
}

}  // namespace edgelab::tasks
