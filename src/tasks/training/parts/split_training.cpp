#include "tasks/training/parts/split_training.hpp"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <utility>

#include "graph/split/blocks.hpp"
#include "graph/split/cut.hpp"
#include "models/weights.hpp"
#include "parallel/numbers.hpp"
#include "parallel/together.hpp"
#include "tasks/split/layout.hpp"
#include "tasks/split/stage_costs.hpp"
#include "tasks/training/settings.hpp"
#include "tasks/training/shares.hpp"
#include "train/training_stage.hpp"

namespace edgelab::tasks {

namespace {

constexpr int kTargets = 10;  // tag; stages have theirs

// Costs of the forward pass share out the backward one too: it takes twice as long, layer by layer. Collective.
MeasuredCosts costs_as_written(const JobSpec& spec, const TaskContext& context, const graph::Graph& model) {
  JobSpec as_written = spec;
  as_written.graph = GraphMode::eager;  // no kernel is chosen by measurement: a training step does not choose either
  return measure_costs(as_written, model, context.communicator, context.threads);
}

// What the first copy has found out is so for all: gradients are added up part by part. Collective.
template <class T> std::vector<T> as_the_first(std::vector<T> found, const std::optional<parallel::Communicator>& peers) {
  if (peers) peers->broadcast(std::span(found), 0);
  return found;
}

std::vector<std::size_t> starts_of_stages(const JobSpec& spec, const TaskContext& context, const graph::Graph& model,
                                          const std::optional<parallel::Communicator>& peers) {
  const graph::Blocks blocks = graph::blocks_of(model);
  std::vector<int> counts = spec.parallel.partition;
  if (counts.empty()) {
    const MeasuredCosts costs = costs_as_written(spec, context, model);
    counts = as_the_first(best_block_counts(model, costs, wire_of(spec.parallel.wire), context.communicator.size(), 1), peers);
  }
  return graph::starts_of(blocks, counts);
}

std::vector<double> speeds_of_members(const JobSpec& spec, const TaskContext& context, const graph::Graph& model,
                                      const std::optional<parallel::Communicator>& peers) {
  const auto members = static_cast<std::size_t>(context.communicator.size());
  const bool alike = all_alike(context);
  return as_the_first(alike ? std::vector<double>(members, 1.0) : member_speeds(ways_of(spec), costs_as_written(spec, context, model).slowness), peers);
}

TaskContext of_copy(const TaskContext& context, const Copies& copies) { return {copies.own(), context.threads, {}, context.cancelled, false, {}, {}, {}}; }

// In the ranks' order, so that all come to the same bits.
double sum_over(const parallel::Communicator& communicator, double mine) {
  const std::vector<double> all = parallel::value_of_each(communicator, mine);
  return std::accumulate(all.begin(), all.end(), 0.0);
}

}  // namespace

std::int64_t batch_of_copy(const JobSpec& spec) { return batch_of(spec) / ways_of(spec).data; }

std::int64_t parts_of_batch(const JobSpec& spec) {
  if (ways_of(spec).pipeline == 1) return spec.train->accumulate;
  return batch_of_copy(spec) / std::min<std::int64_t>(batch_of_copy(spec), spec.parallel.microbatch);
}

SplitTraining::SplitTraining(const JobSpec& spec, const TaskContext& context, const Copies& copies, const graph::Graph& model, const std::vector<std::string>& parameters)
    : copies_(copies),
      communicator_(copies.own()),
      peers_(copies.make_peers()),
      pipeline_(ways_of(spec).pipeline > 1),
      distils_(spec.train->distill.has_value()),
      wire_(wire_of(spec.parallel.wire)),
      batch_(batch_of_copy(spec)),
      parts_(parts_of_batch(spec)),
      classes_(model.type(model.outputs().front()).shape.back()),
      messages_(communicator_.duplicate()) {
  const TaskContext own = of_copy(context, copies);
  if (pipeline_) {
    make_stage(spec, own, model, parameters);
  } else {
    make_shares(spec, own, model, parameters);
  }
  role_ = copies.words() + role_;
}

void SplitTraining::make_stage(const JobSpec& spec, const TaskContext& context, const graph::Graph& model, const std::vector<std::string>& parameters) {
  const std::vector<std::size_t> starts = starts_of_stages(spec, context, model, peers_);
  const auto me = static_cast<std::size_t>(communicator_.rank());
  parallel::together(communicator_, [&] {
    train::TrainingStage stage = train::training_stage(model, starts, me, parameters, parts_);
    graph_ = std::move(stage.graph);
    parameters_ = std::move(stage.parameters);
    place_ = std::move(stage.place);
  });
  std::vector<StatePieces::Pieces> of_rank;
  for (const graph::Graph& stage : graph::cut(model, starts)) {
    StatePieces::Pieces& pieces = of_rank.emplace_back();
    for (const graph::ValueId id : stage.weights()) pieces.emplace(stage.value(id).name, graph::Piece{});
  }
  state_.emplace(communicator_, std::move(of_rank), models::named_weights(model));
  role_ = role_of(parallel::Seat::of(communicator_.rank(), communicator_.size(), 1), "", graph_);
}

void SplitTraining::make_shares(const JobSpec& spec, const TaskContext& context, const graph::Graph& model, const std::vector<std::string>& parameters) {
  transport_.emplace(messages_, wire_, log_);
  const std::vector<double> speeds = speeds_of_members(spec, context, model, peers_);
  std::vector<StatePieces::Pieces> of_rank;
  std::string share;
  parallel::together(communicator_, [&] {
    for (int member = 0; member < communicator_.size(); ++member) {
      graph::TrainingPart part = graph::tensor_training_part(model, {member, speeds, &*transport_});
      of_rank.push_back(part.pieces);
      if (member != communicator_.rank()) continue;
      graph_ = std::move(part.graph);
      share = std::move(part.share);
    }
  });
  parameters_ = parameters;
  const StatePieces::Pieces& mine = of_rank[static_cast<std::size_t>(communicator_.rank())];
  for (const std::string& name : parameters) counts_.push_back(communicator_.rank() == 0 || !mine.at(name).whole());
  state_.emplace(communicator_, std::move(of_rank), models::named_weights(model));
  role_ = role_of(parallel::Seat::of(communicator_.rank(), 1, communicator_.size()), share, graph_);
}

void SplitTraining::connect(train::Trainer& trainer) {
  train::PartOfModel part;
  part.sum = [this](double value) { return sum_over(communicator_, value); };
  part.counts = counts_;
  part.counts_loss = pipeline_ ? place_.last : communicator_.rank() == 0;
  if (pipeline_) {
    part.stage = communicator_.rank();
    part.stages = communicator_.size();
    part.link = &link_.emplace(messages_, wire_, trainer.compiled(), parts_);
  }
  trainer.works_on(std::move(part));
  if (!peers_) return;
  exchange_.emplace(*peers_, trainer.exchanged_elements());
  trainer.exchange_by(*exchange_, 1.0 / copies_.count());
}

std::vector<std::int64_t> SplitTraining::shares() const { return std::vector<std::int64_t>(static_cast<std::size_t>(copies_.count()), batch_); }

void SplitTraining::send_targets(const data::TrainingBatch& batch, std::span<const float> teacher) {
  if (!pipeline_) return;
  while (!sends_.empty() && sends_.front().test()) sends_.pop_front();
  const auto targets = std::as_bytes(batch.targets.as<float>()), logits = std::as_bytes(teacher);
  parallel::Bytes bytes(targets.begin(), targets.end());
  bytes.insert(bytes.end(), logits.begin(), logits.end());
  sends_.push_back(messages_.isend(std::move(bytes), communicator_.size() - 1, kTargets));
}

void SplitTraining::receive_targets(data::TrainingBatch& batch, std::vector<float>& teacher) {
  if (!place_.last) return;
  batch.targets = Tensor(DType::f32, {batch_, classes_});
  const auto floats = static_cast<std::size_t>(batch_ * classes_);
  const parallel::Bytes bytes = messages_.receive_any_size(0, kTargets);
  teacher.resize(distils_ ? floats : 0);
  std::memcpy(batch.targets.data(), bytes.data(), floats * sizeof(float));
  if (distils_) std::memcpy(teacher.data(), bytes.data() + floats * sizeof(float), floats * sizeof(float));
}

void SplitTraining::note_times(results::RankRow& row) const {
  const auto note = [&](const parallel::Traffic& traffic) {
    row.wait_ns += traffic.wait_ns;
    row.send_ns += traffic.send_ns;
    row.receive_ns += traffic.receive_ns;
    row.bytes_sent += traffic.bytes_sent;
    row.bytes_received += traffic.bytes_received;
  };
  note(messages_.traffic());
  if (peers_) note(peers_->traffic());
}

}  // namespace edgelab::tasks
