#include "tasks/training/shares.hpp"

#include <algorithm>
#include <string>

#include "core/error.hpp"
#include "core/machine.hpp"
#include "data/training_loader.hpp"
#include "parallel/numbers.hpp"
#include "tasks/measurement.hpp"
#include "tasks/training/model_to_train.hpp"
#include "tasks/training/settings.hpp"
#include "train/trainable.hpp"

namespace edgelab::tasks {

namespace {

// A step of this rank's on zeros, of an equal share: no kernel here takes a time that depends on values.
double measured_speed(const JobSpec& spec, const models::ModelOptions& options, const TaskContext& context, std::int64_t rows) {
  results::ModelRecord record;
  const graph::Graph model = model_to_train(spec, options, rows, context.weights_of_jobs, context.threads, record);
  const std::vector<std::string> parameters = train::trainable_parameters(model, trainable_settings(spec.train->trainable));
  train::TrainingStep step(model, parameters, trainer_settings(spec, model, parameters, context.threads, context.communicator.size()).step);
  step.run();  // the first call pays for pages and threads
  const std::int64_t ns = std::min(timed_call(step.executable()), timed_call(step.executable()));
  return static_cast<double>(rows) / static_cast<double>(std::max<std::int64_t>(ns, 1));
}

}  // namespace

bool all_alike(const TaskContext& context) {
  const std::string mine = this_machine().cpu_model + ", " + std::to_string(context.threads) + " threads";
  const auto all = context.communicator.all_gather(std::as_bytes(std::span(mine)));
  return std::all_of(all.begin(), all.end(), [&](const parallel::Bytes& kind) { return kind == all.front(); });
}

std::vector<std::int64_t> shares_by_speed(std::int64_t batch, std::int64_t parts, const std::vector<double>& speeds) {
  const std::int64_t units = batch / parts;
  const auto ranks = static_cast<std::int64_t>(speeds.size());
  if (batch % parts != 0 || units < ranks) {
    throw Error(ErrorKind::usage, "train.batch can't be shared by the ranks")
        .got(std::to_string(batch) + " samples for " + std::to_string(ranks) + " ranks, train.accumulate " + std::to_string(parts))
        .expected("a multiple of train.accumulate, and at least one part for each rank");
  }
  // One unit each beforehand, so that nobody has nothing.
  std::vector<std::int64_t> shares = data::shares_by_weight(units - ranks, speeds);
  if (std::all_of(speeds.begin(), speeds.end(), [&](double speed) { return speed == speeds.front(); })) {
    shares = data::shares_by_weight(units, speeds);
  } else {
    for (std::int64_t& share : shares) ++share;
  }
  for (std::int64_t& share : shares) share *= parts;
  return shares;
}

std::vector<std::int64_t> shares_of_ranks(const JobSpec& spec, const models::ModelOptions& options, const TaskContext& context) {
  const std::int64_t batch = batch_of(spec), parts = spec.train->accumulate;
  const int ranks = context.communicator.size();
  const std::vector<std::int64_t> equal = shares_by_speed(batch, parts, std::vector<double>(static_cast<std::size_t>(ranks), 1.0));
  if (ranks == 1 || all_alike(context)) return equal;
  const double mine = measured_speed(spec, options, context, equal[static_cast<std::size_t>(context.communicator.rank())] / parts);
  return shares_by_speed(batch, parts, parallel::value_of_each(context.communicator, mine));
}

}  // namespace edgelab::tasks
