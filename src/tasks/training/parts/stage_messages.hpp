#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>

#include "parallel/communicator.hpp"
#include "parallel/wire.hpp"
#include "train/part_of_model.hpp"
#include "train/training_step.hpp"

namespace edgelab::tasks {

// What a stage in training and those beside it send one another, over MPI. Receives are posted ahead, and sends move on while the stage
// computes.
class StageMessages final : public train::StageLink {
 public:
  // Stages are the ranks of `communicator`, on which nobody else may send meanwhile; `step` is this one's. `parts`: micro-batches of
  // every step. All must live on. Not collective.
  StageMessages(const parallel::Communicator& communicator, parallel::Wire wire, const train::TrainingStep& step, std::int64_t parts);

  void receive_activations(std::span<const Tensor> into) override { receive(activations_, into); }
  void receive_gradients(std::span<const Tensor> into) override { receive(gradients_, into); }
  void send_activations(std::span<const Tensor> values) override { send(values, communicator_.rank() + 1, kActivations); }
  void send_gradients(std::span<const Tensor> values) override { send(values, communicator_.rank() - 1, kGradients); }
  void progress() noexcept override;
  void finish() override;

 private:
  enum Tag : int { kActivations = 1, kGradients };
  // Messages of one kind from one neighbour.
  struct Inlet {
    int source = 0;
    Tag tag = kActivations;
    std::size_t bytes = 0;      // of each; 0: none come
    std::int64_t unposted = 0;  // of this step
    std::deque<parallel::Request> posted;
  };
  void post(Inlet& inlet);
  void receive(Inlet& inlet, std::span<const Tensor> into);
  void send(std::span<const Tensor> values, int destination, Tag tag);

  const parallel::Communicator& communicator_;
  parallel::Wire wire_;
  std::int64_t parts_;
  Inlet activations_, gradients_;
  std::deque<parallel::Request> sends_;
  std::exception_ptr failure_;  // of progress(), which must not throw
};

}  // namespace edgelab::tasks
