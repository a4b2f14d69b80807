#pragma once

#include <map>
#include <string>
#include <vector>

#include "graph/split/training_part.hpp"
#include "models/safetensors/safetensors.hpp"
#include "parallel/communicator.hpp"
#include "train/checkpoint.hpp"

namespace edgelab::tasks {

// The state of a model in training that lies on several ranks in pieces: weights, and what optimizer and average keep of each. What
// belongs to no weight (counts of steps) every rank has alike.
class StatePieces {
 public:
  using Pieces = std::map<std::string, graph::Piece>;  // by weight; what a rank has nothing of is missing

  // `of_rank`: by rank, the same on all. `whole`: the model's weights, for their shapes. The communicator must live on.
  StatePieces(const parallel::Communicator& communicator, std::vector<Pieces> of_rank, std::span<const models::NamedTensor> whole);

  // This rank's pieces of a whole state.
  std::vector<models::NamedTensor> mine(std::span<const models::NamedTensor> whole) const;
  // All ranks' pieces into the whole state's tensors, on every rank. Collective.
  void spread(std::span<const models::NamedTensor> mine, std::span<const models::NamedTensor> whole) const;
  // The whole of a checkpoint of which every rank has its own tensors: on rank 0, as one rank would have made it; on the others
  // what they gave. Collective.
  train::Checkpoint gathered(train::Checkpoint mine) const;

 private:
  // Of the weight that a state's tensor belongs to ("exp_avg.head.weight"); none if it belongs to none, or the rank has nothing of it.
  const graph::Piece* piece_of(std::size_t rank, const std::string& name) const;
  std::string weight_in(const std::string& name) const;  // or ""
  void paste(std::size_t rank, const models::NamedTensor& part, const Tensor& whole) const;

  const parallel::Communicator& communicator_;
  std::vector<Pieces> of_rank_;
  std::map<std::string, Shape> shapes_;
};

}  // namespace edgelab::tasks
