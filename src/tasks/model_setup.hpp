#pragma once

#include <memory>
#include <optional>
#include <string>

#include "data/dataset.hpp"
#include "data/preprocess.hpp"
#include "graph/graph.hpp"
#include "models/model.hpp"
#include "results/job_record.hpp"
#include "runtime/executable.hpp"
#include "tasks/job_spec.hpp"

namespace edgelab::tasks {

// The translation of a job's `model` and `data` into what the levels below want.

// `bench` makes its input up: `data`, which may come from the defaults, then counts for the number of classes alone.
bool reads_data(const JobSpec& spec);

// `classes`: the data set's, used where the job names none. Throws Error (usage) if data.resize is not what the model takes.
models::ModelOptions model_options(const JobSpec& spec, std::optional<int> classes);
data::DatasetOptions dataset_options(const JobSpec& spec);
data::PreprocessOptions preprocess_options(const JobSpec& spec, const models::ModelOptions& options);

// A model with its weights, planned for one batch size.
struct LoadedModel {
  models::ModelOptions options;
  std::shared_ptr<runtime::Executable> executable;
  results::ModelRecord record;
  std::int64_t classes = 0;
};

// Reads or draws the weights, runs the passes that the job asks for, and plans. Throws Error.
LoadedModel load_model(const JobSpec& spec, std::optional<int> dataset_classes, int threads);

// The layer table, with each step's median time over a few runs of its own, apart from the measured ones.
std::vector<results::LayerRow> layer_table(runtime::Executable& executable);

}  // namespace edgelab::tasks
