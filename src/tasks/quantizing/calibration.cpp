#include "tasks/quantizing/calibration.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "data/loader.hpp"
#include "parallel/numbers.hpp"
#include "tasks/measurement.hpp"
#include "tasks/model_setup.hpp"

namespace edgelab::tasks {

namespace {

constexpr std::int64_t kImages = 512;

}  // namespace

runtime::Executable watched(const compress::Observer& observer, int threads) {
  runtime::PlanOptions options;
  options.threads = threads;
  return runtime::Executable(runtime::Plan::compile(observer.graph(), options));
}

void note_run(compress::Observer& observer, runtime::Executable& executable, std::int64_t count, int threads) {
  std::vector<Tensor> outputs;
  for (std::size_t i = 0; i < observer.graph().outputs().size(); ++i) outputs.push_back(executable.output(i));
  observer.note(executable.input(), outputs, count, threads);
}

data::DatasetOptions calibration_options(const JobSpec& spec) {
  JobSpec calibration = spec;
  if (spec.quantize->calibration.data) {
    calibration.data = *spec.quantize->calibration.data;
    if (calibration.data.dataset.empty()) calibration.data.dataset = spec.data.dataset;
    if (calibration.data.path.empty() && calibration.data.dataset == spec.data.dataset) calibration.data.path = spec.data.path;
    if (!calibration.data.split) calibration.data.split = Split::train;
  } else {
    calibration.data.split = Split::train;
    calibration.data.limit = std::min(kImages, spec.data.limit.value_or(kImages));
    calibration.data.per_class.reset();
    calibration.data.shuffle = true;  // a folder has its classes one after another
  }
  return dataset_options(calibration);
}

void calibrate(compress::Observer& observer, const JobSpec& spec, const models::ModelOptions& options, const TaskContext& context) {
  const parallel::Communicator& communicator = context.communicator;
  const data::Dataset dataset = data::open_dataset(calibration_options(spec));
  runtime::Executable executable = watched(observer, context.threads);
  executable.stop_when(context.cancelled);
  data::LoaderOptions loading;
  loading.batch = static_cast<int>(kCalibrationBatch);
  loading.preprocess = preprocess_options(spec, options);
  loading.rank = communicator.rank();
  loading.ranks = communicator.size();
  data::Loader loader(dataset, loading);
  for (std::int64_t done = 0; done < loader.batches(); ++done) {
    throw_if_cancelled(context);
    const auto images = loader.next();
    if (!images) break;
    fill_input(executable, images->images.as<float>());
    executable.run();
    note_run(observer, executable, images->count, context.threads);
    report(context, static_cast<double>(done + 1) / static_cast<double>(loader.batches()), "calibrating");
  }
  if (communicator.size() == 1) return;
  const std::vector<double> mine = observer.packed();
  const std::vector<parallel::Bytes> all = communicator.all_gather(std::as_bytes(std::span(mine)));
  for (int rank = 0; rank < communicator.size(); ++rank) {
    if (rank == communicator.rank()) continue;
    observer.add(parallel::values_of<double>(all[static_cast<std::size_t>(rank)]));
  }
}

}  // namespace edgelab::tasks
