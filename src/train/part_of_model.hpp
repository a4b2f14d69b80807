#pragma once

#include <functional>
#include <span>
#include <vector>

#include "core/tensor.hpp"

namespace edgelab::train {

// How a stage in training and the stages beside it hand micro-batches to and fro, in their order. train knows nothing of MPI: who does
// implements this (tasks/training/stage_messages.hpp).
class StageLink {
 public:
  virtual ~StageLink() = default;

  // Block until it is here. No tensors: no message.
  virtual void receive_activations(std::span<const Tensor> into) = 0;
  virtual void receive_gradients(std::span<const Tensor> into) = 0;
  // Copied; don't wait for the other side. No tensors: no message.
  virtual void send_activations(std::span<const Tensor> values) = 0;
  virtual void send_gradients(std::span<const Tensor> values) = 0;
  // Called between steps of a plan: moves on what is under way.
  virtual void progress() noexcept = 0;
  // Blocks until all that was sent has left. Throws what went wrong in progress().
  virtual void finish() = 0;
};

// What a rank's trainer has to know where the model's parts lie on several ranks, each of which has a trainer for its own.
struct PartOfModel {
  int stage = 0, stages = 1;   // of a pipeline
  StageLink* link = nullptr;   // where there is more than one stage; outlives the trainer
  // Whether this rank counts for the loss, and for the norm of all gradients with each of its parameters: of several ranks that have
  // the same ones, one does.
  bool counts_loss = true;
  std::vector<bool> counts;
  // Over all ranks of the model, the same bits on each. Collective.
  std::function<double(double)> sum;
};

}  // namespace edgelab::train
