#include "tasks/training/searching.hpp"

#include <algorithm>

#include "tasks/training/training.hpp"

namespace edgelab::tasks {
namespace {

using search::Dimension;

// Trials are compared with one another after the same number of epochs, and which learning rate is good shows early.
constexpr int kShorter = 3;

double worth_of(const search::LoggedTrial& trial, SearchObjective objective) { return objective == SearchObjective::loss ? -trial.loss : trial.top1; }

}  // namespace

std::vector<Dimension> training_space(const TrainSpec& train) {
  constexpr double kAround = 10.0;
  std::vector<Dimension> space = {{"lr", {}, train.optimizer.lr / kAround, train.optimizer.lr * kAround, true}};
  const double decay = train.optimizer.weight_decay;
  if (decay > 0.0) space.push_back({"weight_decay", {}, decay / kAround, std::min(1.0, decay * kAround), true});
  space.push_back({"label_smoothing", {"0", "0.05", "0.1"}});
  return space;
}

TrainSpec with_settings(const TrainSpec& train, const std::vector<Dimension>& space, const std::vector<double>& point) {
  TrainSpec result = train;
  result.search.reset();
  for (std::size_t axis = 0; axis < point.size(); ++axis) {
    const Dimension& dimension = space[axis];
    if (dimension.name == "lr") result.optimizer.lr = point[axis];
    if (dimension.name == "weight_decay") result.optimizer.weight_decay = point[axis];
    if (dimension.name == "label_smoothing") result.label_smoothing = std::stod(dimension.choices[static_cast<std::size_t>(point[axis])]);
  }
  return result;
}

TrainSpec shortened(const TrainSpec& train) {
  TrainSpec result = train;
  result.epochs = std::max(1, train.epochs / kShorter);
  const double share = static_cast<double>(result.epochs) / train.epochs;
  result.schedule.warmup_epochs *= share;
  for (double& epoch : result.schedule.step_epochs) epoch *= share;
  return result;
}

SearchedJob searched_training(const JobSpec& spec, TaskContext& context) {
  const std::vector<Dimension> space = training_space(*spec.train);
  const SearchSpec& settings = *spec.train->search;
  const Searched searched{settings, space, [&](const search::LoggedTrial& trial) { return worth_of(trial, settings.objective); },
                          [&](const std::vector<double>& point, TaskContext& alone) {
                            JobSpec trial = spec;
                            trial.train = shortened(with_settings(*spec.train, space, point));
                            return Training(trial, alone).run();
                          }};
  Found found = search_settings(spec, searched, context);
  SearchedJob result{spec, std::move(found.trials)};
  result.best.train = with_settings(*spec.train, space, found.point);
  return result;
}

}  // namespace edgelab::tasks
