#include "runtime/executable.hpp"

#include <algorithm>
#include <atomic>

#include "core/clock.hpp"
#include "core/parallel_for.hpp"

namespace edgelab::runtime {

Executable::Executable(std::shared_ptr<const Plan> plan) : plan_(std::move(plan)), arena_(allocate_aligned(plan_->arena_bytes())), team_(plan_->threads()) {
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

void Executable::run() { run_steps({}); }
void Executable::run_timed(std::span<std::int64_t> step_ns) { run_steps(step_ns); }

void Executable::run_steps(std::span<std::int64_t> step_ns) {
  use_threads(plan_->threads());
  for (std::size_t i = 0; i < steps_.size();) {
    if (stopped()) throw Cancelled();
    if (steps_[i].by_team()) {
      i = run_together(i, step_ns);
      continue;
    }
    const std::int64_t before = now_ns();
    steps_[i]();
    if (!step_ns.empty()) step_ns[i] = now_ns() - before;
    if (done_) done_(i);
    ++i;
  }
}

// Runs the team's steps from `first` on, returns the first step that is not among them; throws Cancelled.
std::size_t Executable::run_together(std::size_t first, std::span<std::int64_t> step_ns) {
  std::size_t end = first;
  while (end < steps_.size() && steps_[end].by_team()) ++end;
  // The step behind which all stop. Only member 0 decides, before the barrier of that step; a member that is late at that
  // barrier may read a decision about a later step, and goes on to it.
  std::atomic<std::size_t> last = end;
  team_.run([&](const Member& member) {
    std::int64_t before = now_ns();
    for (std::size_t i = first; i < end; ++i) {
      steps_[i].run_part(member);
      if (member.index() == 0 && i + 1 < end && stopped()) last.store(i, std::memory_order_relaxed);
      member.barrier();
      if (last.load(std::memory_order_relaxed) <= i) return;
      if (member.index() == 0 && done_) done_(i);
      if (step_ns.empty() || member.index() != 0) continue;
      const std::int64_t after = now_ns();
      step_ns[i] = after - before;
      before = after;
    }
  });
  if (last < end) throw Cancelled();
  return end;
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
