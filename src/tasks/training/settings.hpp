#pragma once

#include "data/training_loader.hpp"
#include "graph/graph.hpp"
#include "tasks/job_spec.hpp"
#include "train/lora.hpp"
#include "train/optimizer.hpp"
#include "train/schedule.hpp"
#include "train/trainable.hpp"

// The translation of a job's `train` into what src/train and src/data want.
namespace edgelab::tasks {

int batch_of(const JobSpec& spec);  // samples a step, over all ranks
train::OptimizerSettings optimizer_settings(const TrainSpec& spec);
train::ScheduleSettings schedule_settings(const TrainSpec& spec, std::int64_t steps_per_epoch);
train::TrainableSettings trainable_settings(const TrainableSpec& spec);
train::LoraSettings lora_settings(const LoraSpec& spec);
// But for the shares, the threads, and where to begin.
data::TrainingLoaderOptions loader_options(const JobSpec& spec, const data::PreprocessOptions& preprocess);
// What the weights are held against after each epoch: `train.validate`, else the test split of the training data.
DataSpec validation_data(const JobSpec& spec);
data::DatasetOptions validation_options(const JobSpec& spec);

}  // namespace edgelab::tasks
