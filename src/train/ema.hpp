#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/tensor.hpp"
#include "core/thread_team.hpp"
#include "models/safetensors/safetensors.hpp"
#include "train/blocks.hpp"

namespace edgelab::train {

// An exponential moving average of tensors that training changes (Polyak and Juditsky 1992), which often scores better than
// they do. In update t, counted from 0, the average keeps min(decay, (1 + t) / (10 + t)) of itself, so that it leaves the
// first, untrained values behind soon. The same bits for any number of threads, on any machine.
class MovingAverage {
 public:
  // Starts at the values of `tensors` (f32), which are read where they lie at each update(): parameters, and the running
  // statistics that go with them. Their memory and the team must live on. decay in [0, 1].
  MovingAverage(double decay, std::vector<models::NamedTensor> tensors, ThreadTeam& team);

  void update();
  std::int64_t updates() const { return updates_; }

  // By the names of the tensors given, in their order. Views: they change with each update().
  const std::vector<models::NamedTensor>& averages() const { return averages_; }

  // For checkpoints: the averages, and "updates".
  std::vector<models::NamedTensor> state() const;
  // Copies such a state into this one. Throws Error (data) if tensors are missing or don't fit; the state is then undefined.
  void restore(std::span<const models::NamedTensor> state);

 private:
  double decay_;
  std::vector<models::NamedTensor> tensors_, averages_;
  ThreadTeam* team_;
  std::vector<Block> blocks_;
  std::int64_t updates_ = 0;
};

}  // namespace edgelab::train
