#include "tasks/split/layout.hpp"

#include <algorithm>

namespace edgelab::tasks {

Ways ways_of(const JobSpec& spec) {
  const ParallelSpec& parallel = spec.parallel;
  switch (parallel.strategy) {
    case Strategy::pipeline: return {.pipeline = spec.ranks};
    case Strategy::tensor: return {.tensor = spec.ranks};
    case Strategy::sequence: return {.sequence = spec.ranks};
    case Strategy::data: return {.data = spec.ranks};
    case Strategy::none:
    case Strategy::automatic: break;
  }
  return {parallel.pipeline, parallel.tensor, parallel.sequence, parallel.data};
}

parallel::Wire wire_of(Wire wire) {
  switch (wire) {
    case Wire::fp32: return parallel::Wire::fp32;
    case Wire::bf16: return parallel::Wire::bf16;
    case Wire::fp16: return parallel::Wire::fp16;
    case Wire::int8: return parallel::Wire::int8;
  }
  return parallel::Wire::fp32;
}

bool splits_model(const JobSpec& spec) {
  const ParallelSpec& parallel = spec.parallel;
  if (parallel.strategy == Strategy::none) return parallel.pipeline > 1 || parallel.tensor > 1 || parallel.sequence > 1;
  return parallel.strategy != Strategy::data;
}

std::string role_of(const parallel::Seat& seat, const std::string& share, const graph::Graph& part) {
  const std::string stage = "stage " + std::to_string(seat.stage + 1) + " of " + std::to_string(seat.stages);
  const std::string member = "rank " + std::to_string(seat.member + 1) + " of " + std::to_string(seat.members) + " (" + share + ")";
  const std::string layers = part.nodes().empty() ? "no layers" : part.nodes().front().name + " to " + part.nodes().back().name;
  return (seat.members == 1 ? stage : seat.stages == 1 ? member : stage + ", " + member) + ": " + layers;
}

namespace {

std::vector<SpecProblem> problems_of_split_training(const JobSpec& spec) {
  std::vector<SpecProblem> problems;
  const Ways ways = ways_of(spec);
  if (spec.parallel.strategy == Strategy::automatic || ways.sequence > 1 || (ways.pipeline > 1 && ways.tensor > 1)) {
    problems.push_back({"this version of edgelab trains a split model as a pipeline or tensor parallel, in copies or not, not by sequence, auto or both at once", "say parallel: {strategy: pipeline}, or leave it out: train splits the data"});
  }
  if (spec.parallel.wire == Wire::fp16 || spec.parallel.wire == Wire::int8) {
    problems.push_back({"gradients are too small for fp16 and too unlike one another for int8", "say wire: fp32 or bf16"});
  }
  if (!spec.train) return problems;
  const int batch = spec.train->batch.value_or(spec.batch), copy = batch / ways.data, micro = std::max(1, std::min(copy, spec.parallel.microbatch));
  if (batch % ways.data != 0) {
    problems.push_back({"a batch of " + std::to_string(batch) + " samples can't be shared out evenly to " + std::to_string(ways.data) + " copies of the model", "say a parallel.data that divides train.batch"});
  } else if (ways.pipeline > 1 && copy % micro != 0) {
    problems.push_back({"a batch of " + std::to_string(copy) + " samples can't be worked through in micro-batches of " + std::to_string(micro), "say a parallel.microbatch that divides " + std::string(ways.data > 1 ? "a copy's share of train.batch" : "train.batch")});
  }
  if (ways.pipeline > 1 && spec.train->accumulate > 1) {
    problems.push_back({"the parts of a pipeline's batch are its micro-batches", "leave out train.accumulate, and say parallel.microbatch"});
  }
  if (ways.tensor > 1 && spec.train->trainable.what == Trainable::lora) {
    problems.push_back({"adapters can't be shared out by heads", "say parallel: {strategy: pipeline}, or trainable: all"});
  }
  return problems;
}

}  // namespace

std::vector<SpecProblem> problems_of_split(const JobSpec& spec) {
  std::vector<SpecProblem> problems;
  const Ways ways = ways_of(spec);
  if (!splits_model(spec)) {
    const bool shards = spec.task == Task::evaluate || spec.task == Task::train || spec.task == Task::prune || spec.task == Task::quantize;
    if (spec.ranks > 1 && !shards) {
      problems.push_back({"one model on several ranks has to be split", "say parallel: {strategy: pipeline}, or ranks: 1; evaluate, train, prune and quantize split the data without it"});
    }
    return problems;
  }
  if (spec.task == Task::train) return problems_of_split_training(spec);
  if (spec.task != Task::infer && spec.task != Task::evaluate) {
    problems.push_back({"this version of edgelab splits models for infer, evaluate and train only", "leave out parallel; prune and quantize split the data"});
  }
  if (spec.parallel.strategy == Strategy::automatic && !spec.parallel.partition.empty()) {
    problems.push_back({"parallel.partition needs a strategy: auto chooses its own cuts", "leave out partition, or say strategy: pipeline"});
  }
  if (ways.tensor > 1 && ways.sequence > 1) problems.push_back({"tensor and sequence can't split the same layers", "name one of them, with pipeline if you like"});
  if ((ways.members() > 1 || spec.parallel.strategy == Strategy::automatic) && spec.graph == GraphMode::eager) problems.push_back({"tensor and sequence split the blocks of a fused graph", "leave out graph: eager"});
  return problems;
}

}  // namespace edgelab::tasks
