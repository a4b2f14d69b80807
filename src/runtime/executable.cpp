#include "runtime/executable.hpp"

#include <algorithm>

#include "core/clock.hpp"
#include "core/parallel_for.hpp"

namespace edgelab::runtime {

Executable::Executable(std::shared_ptr<const Plan> plan) : plan_(std::move(plan)), arena_(allocate_aligned(plan_->arena_bytes())) {
  const auto view = [&](const Plan::Port& port) { return Tensor(port.type.dtype, port.type.shape, arena_.get() + port.offset, arena_); };
  for (const Plan::Port& port : plan_->inputs()) inputs_.push_back(view(port));
  for (const Plan::Port& port : plan_->outputs()) outputs_.push_back(view(port));
  for (const Plan::Step& step : plan_->steps()) {
    std::vector<const std::byte*> inputs;
    std::vector<std::byte*> outputs;
    for (const Plan::Place& place : step.inputs) inputs.push_back(place.constant.defined() ? place.constant.data() : arena_.get() + place.offset);
    for (const Plan::Place& place : step.outputs) outputs.push_back(arena_.get() + place.offset);
    steps_.push_back(step.kernel.bind({inputs, outputs, arena_.get() + step.scratch}));
  }
}

void Executable::run() {
  use_threads(plan_->threads());
  for (const kernels::Step& step : steps_) step();
}

void Executable::run_timed(std::span<std::int64_t> step_ns) {
  use_threads(plan_->threads());
  std::int64_t before = now_ns();
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    steps_[i]();
    const std::int64_t after = now_ns();
    step_ns[i] = after - before;
    before = after;
  }
}

std::vector<std::int64_t> profile(Executable& executable, int runs) {
  const std::size_t steps = executable.plan().steps().size();
  std::vector<std::vector<std::int64_t>> times(steps);
  std::vector<std::int64_t> once(steps);
  for (int run = 0; run < runs; ++run) {
    executable.run_timed(once);
    for (std::size_t i = 0; i < steps; ++i) times[i].push_back(once[i]);
  }
  std::vector<std::int64_t> medians;
  for (auto& step : times) {
    std::nth_element(step.begin(), step.begin() + static_cast<std::ptrdiff_t>(step.size() / 2), step.end());
    medians.push_back(step[step.size() / 2]);
  }
  return medians;
}

}  // namespace edgelab::runtime
