#pragma once

#include <functional>
#include <optional>
#include <span>

#include "data/dataset.hpp"
#include "tasks/split/copies.hpp"
#include "tasks/split/micro_batches.hpp"
#include "tasks/split/split_model.hpp"

namespace edgelab::tasks {

// What split `infer` and `evaluate` share: the data set on rank 0, the model on all ranks, and answers put together by calls. Where
// there are several copies of the model, each has its ranks, its shard of the data set on the rank that leads it, and calls of its own.
class SplitRun {
 public:
  // Collective.
  SplitRun(const JobSpec& spec, TaskContext& context);

  const Copies& copies() const { return copies_; }
  bool leads() const { return copies_.leads(); }
  const data::Dataset& dataset() const { return *dataset_; }  // of a rank that leads
  const data::Shard& shard() const { return shard_; }         // this copy's samples
  const MicroBatches& batches() const { return batches_; }    // of them
  const SplitModel& model() const { return *model_; }
  results::JobRecord& record() { return record_; }
  results::RankRow& row() { return row_; }

  // The images of a call, [batch, 3, S, S]; asked for in order, on ranks that lead.
  using Images = std::function<std::span<const float>(std::int64_t call)>;
  // Calls `begin` to `end` go through this copy of the model. Latencies are recorded if `timed`, answers if `kept`. Returns how long
  // it took, on the rank that leads: from the first entry to the last answer. Collective over the copy's ranks.
  std::int64_t send_through(std::int64_t begin, std::int64_t end, const Images& images, bool timed, bool kept);

  // From now on it is kept what each rank does when, of the first micro-batches to come; the next pass is the last. Collective.
  void record_spans();

  // The record is complete but for what the task itself measured. `wall_ns`: of `passes` through the data, by all copies. Collective.
  results::JobRecord finish(std::int64_t wall_ns, int passes);

  // Called on ranks that lead behind each answer, with how many of this run's micro-batches have answers.
  void on_answer(std::function<void(std::int64_t)> told) { told_ = std::move(told); }

 private:
  void fill(std::int64_t index, Tensor input, const Images& images);
  void keep(std::int64_t index, std::span<const float> logits);
  void note_spans();
  void note_forecast();
  void gather_from_copies();

  const JobSpec& spec_;
  TaskContext& context_;
  Copies copies_;
  std::optional<data::Dataset> dataset_;
  std::int64_t samples_ = 0;  // of all copies
  data::Shard shard_;
  MicroBatches batches_{1, 1, 1};
  std::optional<SplitModel> model_;
  results::JobRecord record_;
  results::RankRow row_;
  std::span<const float> images_;    // of the call that is entering
  std::int64_t call_entered_ns_ = 0;
  std::int64_t spans_begin_ns_ = 0;  // by now_ns() of this rank
  std::int64_t bytes_before_ = 0, micro_batches_ = 0;  // sent until the first micro-batch; micro-batches since
  std::function<void(std::int64_t)> told_;
};

}  // namespace edgelab::tasks
