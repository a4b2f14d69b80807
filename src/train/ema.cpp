#include "train/ema.hpp"

#include <algorithm>
#include <utility>

#include "train/state_tensors.hpp"
#include "train/updates.hpp"

namespace edgelab::train {

MovingAverage::MovingAverage(double decay, std::vector<models::NamedTensor> tensors, ThreadTeam& team)
    : decay_(decay), tensors_(std::move(tensors)), team_(&team) {
  std::vector<std::size_t> sizes;
  for (const models::NamedTensor& each : tensors_) {
    averages_.push_back({each.name, each.tensor.clone()});
    sizes.push_back(each.tensor.as<float>().size());
  }
  blocks_ = blocks_of(sizes);
}

void MovingAverage::update() {
  const double t = static_cast<double>(updates_++);
  const auto share = static_cast<float>(1.0 - std::min(decay_, (1.0 + t) / (10.0 + t)));
  team_->run([&](const Member& member) {
    const Member::Part part = member.part(std::ssize(blocks_));
    for (auto i = static_cast<std::size_t>(part.begin); i < static_cast<std::size_t>(part.end); ++i) {
      const Block& block = blocks_[i];
      const float* values = std::as_const(tensors_[block.array].tensor).as<float>().data();
      update_average(share, block.size, values + block.begin, averages_[block.array].tensor.as<float>().data() + block.begin);
    }
  });
}

std::vector<models::NamedTensor> MovingAverage::state() const {
  std::vector<models::NamedTensor> state = averages_;
  state.push_back(number_tensor("updates", updates_));
  return state;
}

void MovingAverage::restore(std::span<const models::NamedTensor> state) {
  for (const models::NamedTensor& each : averages_) copy_floats(state, each.name, each.tensor);
  updates_ = number_in(state, "updates");
}

}  // namespace edgelab::train
