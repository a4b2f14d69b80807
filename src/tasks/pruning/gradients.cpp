#include "tasks/pruning/gradients.hpp"

#include <algorithm>

#include "data/training_loader.hpp"
#include "tasks/measurement.hpp"
#include "tasks/model_setup.hpp"
#include "tasks/training/model_to_train.hpp"
#include "tasks/training/settings.hpp"
#include "train/trainable.hpp"
#include "train/training_step.hpp"

namespace edgelab::tasks {

compress::Gradients summed_gradients(const JobSpec& given, const models::ModelOptions& options, int batches, const TaskContext& context) {
  JobSpec job = given;
  job.train->distill.reset();  // the labels' loss alone
  job.train->trainable = {};
  results::ModelRecord unused;
  const graph::Graph model = model_to_train(job, options, batch_of(job), context.weights_of_jobs, context.threads, unused);
  const std::vector<std::string> parameters = train::trainable_parameters(model, trainable_settings(job.train->trainable));
  train::TrainingStepSettings settings;
  settings.threads = context.threads;
  settings.form.uses_batch_statistics = [](const std::string&) { return false; };
  train::TrainingStep step(model, parameters, settings);
  step.stop_when(context.cancelled);

  data::TrainingLoaderOptions loading = loader_options(job, preprocess_options(job, options));
  loading.threads = std::max(1, context.threads);
  loading.epochs = std::max<std::int64_t>(1, batches);  // at least a batch an epoch
  data::TrainingLoader loader(data::open_dataset(dataset_options(job)), loading);
  compress::Gradients sums;
  for (const std::string& name : parameters) sums.emplace(name, Tensor());
  for (int done = 0; done < batches; ++done) {
    throw_if_cancelled(context);
    const auto batch = loader.next();
    Tensor images = step.images(), targets = step.targets();
    std::ranges::copy(batch->images.as<float>(), images.as<float>().begin());
    std::ranges::transform(batch->targets.as<float>(), targets.as<float>().begin(), [&](float value) { return value / static_cast<float>(batch->global_count); });
    step.run();
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      Tensor& sum = sums.at(parameters[i]);
      const auto gradient = step.gradient(i);
      if (!sum.defined()) sum = Tensor(DType::f32, {static_cast<std::int64_t>(gradient.size())});
      const auto values = sum.as<float>();
      for (std::size_t j = 0; j < gradient.size(); ++j) values[j] += gradient[j];
    }
  }
  return sums;
}

}  // namespace edgelab::tasks
