#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "data/dataset.hpp"
#include "data/preprocess.hpp"
#include "graph/graph.hpp"
#include "graph/quantization.hpp"
#include "models/model.hpp"
#include "models/safetensors/safetensors.hpp"
#include "results/job_record.hpp"
#include "runtime/executable.hpp"
#include "tasks/job_spec.hpp"
#include "tasks/task.hpp"

namespace edgelab::tasks {

// The translation of a job's `model` and `data` into what the levels below want.

// `bench` makes its input up: `data`, which may come from the defaults, then counts for the number of classes alone.
bool reads_data(const JobSpec& spec);

// `classes`: the data set's, used where the job names none. Throws Error (usage) if data.resize is not what the model takes.
models::ModelOptions model_options(const JobSpec& spec, std::optional<int> classes);
data::DatasetOptions dataset_options(const JobSpec& spec);
data::PreprocessOptions preprocess_options(const JobSpec& spec, const models::ModelOptions& options);

using WeightsOfJobs = std::map<std::string, std::vector<std::uint8_t>>;  // TaskContext::weights_of_jobs

// `model` with what the weights of the job it names say about their architecture, where `model` itself says nothing. As it is,
// if it names no job or the job's weights are not there (nothing may have run yet). Throws Error (data) on damaged ones.
ModelSpec completed(ModelSpec model, const WeightsOfJobs& weights);

enum class Randomness {
  lively,   // `weights: random` where the model is used as it is: models/random_weights.hpp
  initial,  // … where it will be trained: models/initial_weights.hpp
};

// A model as written with its weights, and the grids that they lie on if it is quantized.
struct BoundModel {
  graph::Graph graph;
  graph::Quantization quantization;
};

// The model for `batch` images, with its weights bound: from the file or job that `model` names, or drawn from `seed`. Fills
// `record`'s words on the weights. Throws Error; environment if the job's weights are not there.
BoundModel bound_model(const ModelSpec& model, const models::ModelOptions& options, std::int64_t batch, std::uint64_t seed, Randomness randomness,
                         const WeightsOfJobs& weights, int threads, results::ModelRecord& record);
// The model that a job runs on `batch` images a call, and what its record says of it. Where integers are asked for and the weights
// are random, its grids are of made-up images, so that its time can be measured. Throws Error as bound_model does.
BoundModel model_to_run(const JobSpec& spec, const models::ModelOptions& options, std::int64_t batch, const WeightsOfJobs& weights, int threads,
                        results::ModelRecord& record);
// What a job's weights are read from: a file, or what another job has made. Not for random ones.
models::Safetensors weights_file(const ModelSpec& model, const WeightsOfJobs& weights);

// A model with its weights, planned for one batch size.
struct LoadedModel {
  models::ModelOptions options;
  std::shared_ptr<runtime::Executable> executable;
  results::ModelRecord record;
  std::int64_t classes = 0;
};

// Whether the job computes in integers what its model has grids for.
bool in_integers(const JobSpec& spec);

// From a bound model as written: the passes that the job asks for. Throws Error (usage) if it wants integers and the model is not
// quantized.
graph::Graph inference_graph(const JobSpec& spec, const BoundModel& model);
// The plan of a graph that has been through them, or of a part of one. `choices`: whether ways to compute are chosen by measurement.
std::shared_ptr<runtime::Executable> planned_inference(const JobSpec& spec, const graph::Graph& graph, int threads, bool choices);
// The one after the other.
std::shared_ptr<runtime::Executable> compile_inference(const JobSpec& spec, const BoundModel& model, int threads, bool choices);

// The others take what rank 0 has measured to be the fastest, where they run on the same kind of machine: one answer for all ranks, and
// ranks of one host don't disturb each other's measuring. Collective.
void share_choices(const parallel::Communicator& communicator);

// Reads or draws the weights, runs the passes that the job asks for, and plans. Where the job reads another's weights and
// there are none (a forecast, before anything has run), random ones stand for them. Throws Error.
LoadedModel load_model(const JobSpec& spec, std::optional<int> dataset_classes, int threads);
// The same for a job that runs: the executable stops when the job is cancelled.
LoadedModel load_model(const JobSpec& spec, std::optional<int> dataset_classes, const TaskContext& context);

// The layer table, with each step's median time over a few runs of its own, apart from the measured ones.
std::vector<results::LayerRow> layer_table(runtime::Executable& executable);

}  // namespace edgelab::tasks
