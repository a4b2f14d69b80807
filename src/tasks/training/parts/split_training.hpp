#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "data/training_loader.hpp"
#include "graph/graph.hpp"
#include "parallel/mpi_transport.hpp"
#include "tasks/job_spec.hpp"
#include "tasks/split/copies.hpp"
#include "tasks/task.hpp"
#include "tasks/training/exchange.hpp"
#include "tasks/training/parts/stage_messages.hpp"
#include "tasks/training/parts/state_pieces.hpp"
#include "train/trainer.hpp"

namespace edgelab::tasks {

// Samples of a batch that each copy of the split model takes.
std::int64_t batch_of_copy(const JobSpec& spec);
// Micro-batches of a copy's step: `train.accumulate` parts, or in a pipeline what parallel.microbatch makes of its batch.
std::int64_t parts_of_batch(const JobSpec& spec);

// Training of one model whose parts lie on the job's ranks, or those of one copy of it: this rank's part, and what travels. Every rank has memory for all weights,
// which it needs for the held-out images; gradients, activations and the optimizer's state are those of its part alone.
class SplitTraining {
 public:
  // `model`: as it is trained, with weights of its own, for one micro-batch. `parameters`: those that move. Measures where to cut, if the
  // job doesn't say; all copies as the first one. Collective over the job's ranks. Throws Error, the same on all of a copy.
  SplitTraining(const JobSpec& spec, const TaskContext& context, const Copies& copies, const graph::Graph& model, const std::vector<std::string>& parameters);

  const graph::Graph& graph() const { return graph_; }
  const std::vector<std::string>& parameters() const { return parameters_; }  // of this rank, that move
  const train::StagePlace& place() const { return place_; }
  const std::string& role() const { return role_; }
  // Stages have; of members one stands for all, and of copies the first.
  bool has_layers_of_its_own() const { return copies_.index() == 0 && (pipeline_ || communicator_.rank() == 0); }
  const StatePieces& state() const { return *state_; }

  // Ties this rank's trainer to the others', those of other copies too. Not collective.
  void connect(train::Trainer& trainer);

  // Whose data set is read: the first stage's, or every member's. The others of a pipeline get `next` batches from here: without images,
  // and on the last stage with targets and, if there is a teacher, its logits, as the first stage sends them.
  bool reads_data() const { return !pipeline_ || communicator_.rank() == 0; }
  std::vector<std::int64_t> shares() const;  // of a batch, by copy, for the loader
  int share_of() const { return copies_.index(); }
  // On the first rank of a pipeline, for each batch.
  void send_targets(const data::TrainingBatch& batch, std::span<const float> teacher);
  // On its other ranks.
  void receive_targets(data::TrainingBatch& batch, std::vector<float>& teacher);

  void note_times(results::RankRow& row) const;

 private:
  void make_stage(const JobSpec& spec, const TaskContext& context, const graph::Graph& model, const std::vector<std::string>& parameters);
  void make_shares(const JobSpec& spec, const TaskContext& context, const graph::Graph& model, const std::vector<std::string>& parameters);

  const Copies& copies_;
  const parallel::Communicator& communicator_;  // of the copy
  std::optional<parallel::Communicator> peers_;  // in the other copies
  std::optional<BucketExchange> exchange_;
  bool pipeline_, distils_;
  parallel::Wire wire_;
  std::int64_t batch_, parts_, classes_ = 0;
  parallel::Communicator messages_;  // of the stages, or of the members
  parallel::SpanLog log_;
  std::optional<parallel::MpiTransport> transport_;
  graph::Graph graph_;
  std::vector<std::string> parameters_;
  train::StagePlace place_;
  std::vector<bool> counts_;
  std::string role_;
  std::optional<StatePieces> state_;
  std::optional<StageMessages> link_;
  std::deque<parallel::Request> sends_;  // of targets
};

}  // namespace edgelab::tasks
