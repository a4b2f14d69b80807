#include "tasks/split/split_model.hpp"

#include <algorithm>
#include <utility>

#include "graph/split/blocks.hpp"
#include "graph/split/cut.hpp"
#include "graph/split/part.hpp"
#include "parallel/together.hpp"
#include "tasks/model_setup.hpp"
#include "tasks/split/layer_rows.hpp"
#include "tasks/task_list.hpp"

namespace edgelab::tasks {
namespace {

// What this rank does of each layer, where several have the same ones.
graph::Part part_of(const graph::Graph& graph, const Ways& ways, const parallel::Seat& seat, const std::vector<double>& slowness, kernels::Transport* transport) {
  if (seat.members == 1) return {graph, ""};
  const std::vector<double> weights = member_speeds(ways, slowness);
  const graph::Member member{seat.member, weights, transport};
  return ways.tensor > 1 ? graph::tensor_part(graph, member) : graph::sequence_part(graph, member);
}

std::vector<int> ranks_of_stage(const parallel::Seat& seat) {
  std::vector<int> ranks;
  for (int member = 0; member < seat.members; ++member) ranks.push_back(seat.rank_of(seat.stage, member));
  return ranks;
}

}  // namespace

SplitModel::SplitModel(const JobSpec& spec, std::optional<int> classes, const parallel::Communicator& communicator, const TaskContext& context, std::int64_t microbatch,
                       std::int64_t samples)
    : communicator_(communicator), ways_(ways_of(spec)), wire_(wire_of(spec.parallel.wire)) {
  ways_.data = 1;  // a copy knows of no others
  parallel::together(communicator_, [&] { load(spec, classes, context, microbatch); });
  share_choices(communicator_);
  choose_layout(spec, context, samples);
  const int used = ways_.pipeline * ways_.members();
  const bool idle = communicator_.rank() >= used;
  seat_ = parallel::Seat::of(communicator_.rank(), ways_.pipeline, ways_.members());
  if (!idle && seat_.members > 1) {
    group_.emplace(communicator_.create_group(ranks_of_stage(seat_), 0));
    transport_.emplace(*group_, wire_, log_);
  }
  parallel::together(communicator_, [&] {
    if (!idle) plan_part(spec, context);
  });
  whole_ = {};
  if (idle) {
    role_ = "idle: " + name_of(ways_) + " was predicted to be faster than any use of all " + std::to_string(communicator_.size()) + " ranks";
    return;
  }
  executable_->stop_when(context.cancelled);
  stage_.emplace(communicator_, seat_, *executable_, wire_, microbatch * classes_, log_);
}

void SplitModel::load(const JobSpec& spec, std::optional<int> classes, const TaskContext& context, std::int64_t microbatch) {
  options_ = model_options(spec, classes);
  const BoundModel bound = model_to_run(spec, options_, microbatch, context.weights_of_jobs, context.threads, record_);
  const graph::Graph& written = bound.graph;
  classes_ = written.type(written.outputs().front()).shape.back();
  sample_floats_ = written.type(written.inputs().front()).elements() / microbatch;
  whole_ = inference_graph(spec, bound);
  if (communicator_.rank() == 0) planned_inference(spec, whole_, context.threads, true);  // so that one rank chooses kernels for all
}

// Measures, and takes the best where the job leaves the choice. The same on all ranks.
void SplitModel::choose_layout(const JobSpec& spec, const TaskContext& context, std::int64_t samples) {
  costs_ = measure_costs(spec, whole_, communicator_, context.threads);
  parallel::together(communicator_, [&] {
    if (communicator_.rank() == 0) predict_layout(spec, samples);
  });
  communicator_.broadcast(std::span(&ways_, 1), 0);
}

void SplitModel::predict_layout(const JobSpec& spec, std::int64_t samples) {
  const Workload work{samples, spec.batch, spec.parallel.partition};
  if (spec.parallel.strategy == Strategy::automatic) {
    std::vector<Prediction> predictions;
    for (const Ways& ways : layouts_for(communicator_.size())) predictions.push_back(predict(whole_, costs_, ways, wire_, work));
    ways_ = predictions[best_of(predictions, objective_of(spec))].ways;
  }
  prediction_ = predict(whole_, costs_, ways_, wire_, work);
}

void SplitModel::plan_part(const JobSpec& spec, const TaskContext& context) {
  const graph::Part mine = part_of(whole_, ways_, seat_, costs_.slowness, transport_ ? &*transport_ : nullptr);
  std::vector<std::size_t> starts = {0};
  if (seat_.stages > 1 && !spec.parallel.partition.empty()) {
    starts = graph::starts_of(graph::blocks_of(whole_), spec.parallel.partition, graph::blocks_of(mine.graph));
  } else if (seat_.stages > 1 && seat_.members == 1) {
    starts = best_starts(whole_, costs_, wire_, seat_.stages);
  } else if (seat_.stages > 1) {
    starts = graph::starts_of(graph::blocks_of(whole_), best_block_counts(whole_, costs_, wire_, seat_.stages, seat_.members), graph::blocks_of(mine.graph));
  }
  const graph::Graph part = std::move(graph::cut(mine.graph, starts)[static_cast<std::size_t>(seat_.stage)]);
  role_ = role_of(seat_, mine.share, part);
  executable_ = planned_inference(spec, part, context.threads, true);
}

void SplitModel::note_times(results::RankRow& row) const {
  note_traffic(communicator_, row);
  if (!stage_) return;
  row.compute_ns = stage_->spans().compute_ns - (transport_ ? transport_->total_ns() : 0);
  if (group_) {
    const parallel::Traffic traffic = group_->traffic();
    row.wait_ns += traffic.wait_ns;
    row.bytes_sent += traffic.bytes_sent;
    row.bytes_received += traffic.bytes_received;
    row.send_ns += transport_->total_ns() - traffic.wait_ns;  // into the wire format and out of it
  }
  row.send_ns += stage_->spans().send_ns;
  row.receive_ns += stage_->spans().receive_ns;
}

std::int64_t SplitModel::bytes_sent() const { return communicator_.traffic().bytes_sent + (group_ ? group_->traffic().bytes_sent : 0); }

std::vector<results::LayerRow> SplitModel::layers() { return layers_of_all(communicator_, executable_.get(), seat_.member == 0); }

}  // namespace edgelab::tasks
