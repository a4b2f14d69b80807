#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "data/dataset.hpp"
#include "data/training_loader.hpp"
#include "graph/graph.hpp"
#include "models/model.hpp"
#include "tasks/answers.hpp"
#include "tasks/model_setup.hpp"
#include "tasks/pruning/masked_weights.hpp"
#include "tasks/task.hpp"
#include "tasks/telemetry/job_telemetry.hpp"
#include "tasks/training/exchange.hpp"
#include "tasks/training/parts/split_training.hpp"
#include "tasks/training/teacher.hpp"
#include "train/checkpoint.hpp"
#include "train/early_stopping.hpp"
#include "train/ema.hpp"
#include "train/progress.hpp"
#include "train/schedule.hpp"
#include "train/trainer.hpp"

namespace edgelab::tasks {

// One training job on one rank, from its data to its record. Collective over the job's ranks throughout. Every rank holds the same
// weights, to the bit, after every step; or, of a model that is split over the ranks, those of its part, and all whenever held-out images
// are asked for.
class Training {
 public:
  // Reads data and weights, plans the step, goes back to where an earlier attempt was. Throws Error.
  Training(const JobSpec& spec, TaskContext& context);
  // Throws Error, Cancelled; what was done until then is in a checkpoint.
  results::JobRecord run();

 private:
  void build_trainer();
  void build_part(std::int64_t parts);
  void resume();
  // Everybody goes on from the leader's checkpoint, if there is one.
  void go_on_from(const std::optional<train::Checkpoint>& leaders);

  void train_epochs();
  void train_epoch(data::TrainingLoader* loader);
  data::TrainingBatch next_batch(data::TrainingLoader* loader);
  void train_step(const data::TrainingBatch& batch);
  void end_epoch();
  double held_out_top1();

  bool checkpoint_is_due(bool epoch_ended);
  // Of a split model each rank brings its part.
  bool takes_part_in_saving() const { return leads() || split_.has_value(); }
  void save_amid_epoch(std::optional<MeasuredWindow>& window);
  void save();
  bool due_by_time();
  void show_progress(const data::TrainingBatch& batch, double loss);

  // What the weights as they are now say to the held-out images; asked once for each state of them.
  struct HeldOut {
    std::int64_t began_ns = 0;
    Answers answers;
  };
  HeldOut& held_out_answers();
  TaskContext aside() const;
  BoundModel finished_model(std::int64_t batch) const;       // for inference: adapters merged, averaged if asked for
  std::vector<models::NamedTensor> weights_now() const;      // of the model in training, or of this rank's part
  std::vector<models::NamedTensor> averages_now() const;     // of all weights
  void know_all_weights();
  train::Checkpoint checkpoint() const;
  void restore(const train::Checkpoint& checkpoint);
  void take_best();
  void keep_adapters() const;
  void keep_weights();
  results::JobRecord record();

  bool leads() const { return communicator_.rank() == 0; }

  const JobSpec& spec_;
  TaskContext& context_;
  const parallel::Communicator& communicator_;
  std::int64_t started_ns_;
  data::Dataset dataset_, held_out_;
  models::ModelOptions options_;
  data::TrainingLoaderOptions loader_options_;
  std::int64_t steps_per_epoch_ = 0;
  results::ModelRecord model_record_;
  results::RankRow row_;
  graph::Graph model_;                   // all of it, with the weights in training
  std::vector<std::string> parameters_;  // that move
  std::optional<Copies> copies_;         // of a model that is split over the ranks,
  std::optional<SplitTraining> split_;   // and this rank's part of its copy
  std::optional<train::Trainer> trainer_;
  std::optional<BucketExchange> exchange_;
  ThreadTeam team_;
  std::optional<train::MovingAverage> average_;
  std::vector<models::NamedTensor> all_averages_;  // of a split model, as they were when all weights were known last
  std::vector<float> teachers_;                    // logits that came from rank 0
  std::optional<MaskedWeights> masked_;  // in fine-tuning of a pruned model
  graph::Quantization quantization_;     // of the weights that it began with, if they were quantized
  std::optional<Teacher> teacher_;
  train::ScheduleSettings schedule_;
  std::optional<train::CheckpointFolder> checkpoints_;  // of the leader
  bool keeps_checkpoints_ = false;                      // the leader does
  std::optional<train::EarlyStopping> early_stopping_;
  train::Progress progress_;
  std::optional<HeldOut> last_answers_;  // none since the weights moved
  std::int64_t epoch_began_ns_ = 0, training_ns_ = 0, trained_samples_ = 0, saved_at_ns_ = 0, began_at_step_ = 0;
};

}  // namespace edgelab::tasks
