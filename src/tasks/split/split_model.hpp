#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "models/model.hpp"
#include "parallel/mpi_transport.hpp"
#include "parallel/stage.hpp"
#include "results/job_record.hpp"
#include "runtime/executable.hpp"
#include "tasks/job_spec.hpp"
#include "tasks/split/layout.hpp"
#include "tasks/split/prediction.hpp"
#include "tasks/split/stage_costs.hpp"
#include "tasks/task.hpp"

namespace edgelab::tasks {

// This rank's part of a job's model, and the way the parts work together (docs/cluster.md). What the job's tasks see of a model that is
// split over ranks: micro-batches in, logits out, on rank 0.
class SplitModel {
 public:
  // Reads or draws the weights, runs the passes, splits the graph as the job asks for, or (`strategy: auto`) as is predicted to be
  // best for so many `samples`, and plans this rank's part for `microbatch` of them. `classes`: the data set's. `communicator`: of the
  // ranks that hold the parts, the job's or a copy's, which must outlive this. Collective over them. Throws Error, the same on all of
  // them, and Cancelled.
  SplitModel(const JobSpec& spec, std::optional<int> classes, const parallel::Communicator& communicator, const TaskContext& context, std::int64_t microbatch,
             std::int64_t samples);

  // Collective, as parallel::Stage::run(). Nothing on a rank that the chosen layout leaves idle.
  void run(std::int64_t count, const parallel::Stage::Fill& fill, const parallel::Stage::Take& take) {
    if (stage_) stage_->run(count, fill, take);
  }
  // What this rank did since: computing, messages, waiting.
  void note_times(results::RankRow& row) const;
  // What it does when, once it is told to record.
  parallel::SpanLog& log() { return log_; }
  // By this rank, to any other.
  std::int64_t bytes_sent() const;

  bool idle() const { return !stage_; }  // this rank, in the layout that was taken
  const models::ModelOptions& options() const { return options_; }
  const results::ModelRecord& record() const { return record_; }
  std::int64_t classes() const { return classes_; }
  std::int64_t sample_floats() const { return sample_floats_; }  // of an image
  // "stage 2 of 4: blocks.3.norm1 to blocks.5.add2", "rank 3 of 4 (heads 3 to 4 of 6): broadcast to head"
  const std::string& role() const { return role_; }
  // On rank 0, of the layout that was taken, for one copy.
  const Prediction& prediction() const { return prediction_; }
  // The layers of all stages in their order, each timed on the rank that has it; empty but on rank 0. Collective.
  std::vector<results::LayerRow> layers();

 private:
  void load(const JobSpec& spec, std::optional<int> classes, const TaskContext& context, std::int64_t microbatch);
  void choose_layout(const JobSpec& spec, const TaskContext& context, std::int64_t samples);
  void predict_layout(const JobSpec& spec, std::int64_t samples);
  void plan_part(const JobSpec& spec, const TaskContext& context);

  const parallel::Communicator& communicator_;
  Ways ways_;
  parallel::Wire wire_;
  graph::Graph whole_;  // until the part is planned
  MeasuredCosts costs_;
  Prediction prediction_;
  parallel::Seat seat_;
  models::ModelOptions options_;
  results::ModelRecord record_;
  std::int64_t classes_ = 0, sample_floats_ = 0;
  std::string role_;
  parallel::SpanLog log_;
  std::optional<parallel::Communicator> group_;  // of the ranks with the same layers
  std::optional<parallel::MpiTransport> transport_;
  std::shared_ptr<runtime::Executable> executable_;
  std::optional<parallel::Stage> stage_;
};

}  // namespace edgelab::tasks
