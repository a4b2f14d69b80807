#pragma once

#include "graph/graph.hpp"
#include "models/model.hpp"
#include "tasks/job_spec.hpp"
#include "tasks/model_setup.hpp"
#include "train/trainer.hpp"

// What a training job's step is made of.
namespace edgelab::tasks {

// Of a rank that has `rows` samples of each batch: how many of them go through the model at once. Throws Error (usage) if
// train.accumulate doesn't divide them.
std::int64_t rows_of_a_part(const JobSpec& spec, std::int64_t rows);

// The model for so many samples, with weights of its own: read (a classifier for other classes is drawn anew) or drawn,
// `reset` drawn again, adapters added. Throws Error.
graph::Graph model_to_train(const JobSpec& spec, const models::ModelOptions& options, std::int64_t rows, const WeightsOfJobs& weights, int threads,
                            results::ModelRecord& record);

// `parameters`: those that move.
train::TrainerSettings trainer_settings(const JobSpec& spec, const graph::Graph& model, const std::vector<std::string>& parameters, int threads,
                                        int ranks);

}  // namespace edgelab::tasks
