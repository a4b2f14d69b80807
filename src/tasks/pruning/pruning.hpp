#pragma once

#include <functional>
#include <vector>

#include "compress/prune/importance.hpp"
#include "data/dataset.hpp"
#include "graph/graph.hpp"
#include "models/model.hpp"
#include "tasks/task.hpp"

namespace edgelab::tasks {

// One pruning job on one rank, from its data to its record: what is left out, fine-tuning (a Training each round), and what the
// result says to the held-out images. Collective over the job's ranks throughout. Rank 0 decides what goes and the others are
// sent the result, so that ranks on unlike machines prune alike.
class Pruning {
 public:
  // Throws Error.
  Pruning(const JobSpec& spec, TaskContext& context);
  // Throws Error, Cancelled.
  results::JobRecord run();

 private:
  using File = std::vector<std::uint8_t>;

  void take(File file);  // as the weights that this job's parts start from
  graph::Graph model(std::int64_t batch) const;
  File agreed(const std::function<File()>& make) const;
  File pruned(int round) const;
  File pruned_masks(graph::Graph model, double sparsity) const;
  File pruned_channels(const graph::Graph& model) const;
  compress::Gradients gradients() const;
  void finetune(int round, results::JobRecord& training);
  std::vector<results::SensitivityRow> scan() const;
  results::SensitivityRow tried(const data::Dataset& held_out, graph::Graph changed, const std::string& layer, double sparsity) const;
  results::JobRecord evaluated();

  bool leads() const { return context_.communicator.rank() == 0; }

  const JobSpec& spec_;
  JobSpec job_;  // the same as a training job on what take() was given last
  TaskContext& context_;
  models::ModelOptions options_;
};

}  // namespace edgelab::tasks
