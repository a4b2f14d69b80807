#include "runtime/executable.hpp"

#include <algorithm>
#include <atomic>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/parallel_for.hpp"
#include "kernels/cuda/backend.hpp"

namespace edgelab::runtime {

Executable::Executable(std::shared_ptr<const Plan> plan)
    : plan_(std::move(plan)),
      arena_(plan_->on_device() ? kernels::cuda::backend().allocate(plan_->arena_bytes()) : allocate_aligned(plan_->arena_bytes())),
      team_(plan_->on_device() ? 1 : plan_->threads()) {
  plan_->on_device() ? place_ports_on_host() : place_ports_in_arena();
  for (const Plan::Step& step : plan_->steps()) {
    std::vector<const std::byte*> inputs;
    std::vector<std::byte*> outputs;
    for (const Plan::Place& place : step.inputs) inputs.push_back(place.constant.defined() ? place.constant.data() : arena_.get() + place.offset);
    for (const Plan::Place& place : step.outputs) outputs.push_back(arena_.get() + place.offset);
    steps_.push_back(step.kernel.bind({inputs, outputs, arena_.get() + step.scratch}));
  }
}

void Executable::place_ports_in_arena() {
  const auto view = [&](const Plan::Port& port) { return Tensor(port.type.dtype, port.type.shape, arena_.get() + port.offset, arena_); };
  for (const Plan::Port& port : plan_->inputs()) inputs_.push_back(view(port));
  for (const Plan::Port& port : plan_->outputs()) outputs_.push_back(view(port));
}

// Inputs and outputs of a plan for a device lie one behind the other in page-locked memory.
void Executable::place_ports_on_host() {
  std::size_t bytes = 0;
  const auto place = [&](const Plan::Port& port) {
    const std::size_t at = bytes;
    bytes += (port.type.bytes() + kAlignment - 1) / kAlignment * kAlignment;
    return at;
  };
  std::vector<std::size_t> at;
  for (const auto* ports : {&plan_->inputs(), &plan_->outputs()}) {
    for (const Plan::Port& port : *ports) at.push_back(place(port));
  }
  pinned_ = kernels::cuda::backend().allocate_pinned(bytes);
  std::size_t next = 0;
  const auto view = [&](const Plan::Port& port) { return Tensor(port.type.dtype, port.type.shape, pinned_.get() + at[next++], pinned_); };
  for (const Plan::Port& port : plan_->inputs()) inputs_.push_back(view(port));
  for (const Plan::Port& port : plan_->outputs()) outputs_.push_back(view(port));
}

void Executable::run() { plan_->on_device() ? run_on_device({}) : run_steps(0, steps_.size(), {}); }
void Executable::run(std::size_t first, std::size_t end) {
  if (plan_->on_device()) throw Error(ErrorKind::usage, "a plan for a CUDA device runs as a whole");
  run_steps(first, end, {});
}
void Executable::run_timed(std::span<std::int64_t> step_ns) { plan_->on_device() ? run_on_device(step_ns) : run_steps(0, steps_.size(), step_ns); }

// Whole on the thread's stream, apart from timed ones, which are waited for one by one.
void Executable::send_steps(std::span<std::int64_t> step_ns) {
  kernels::cuda::Backend& device = kernels::cuda::backend();
  for (std::size_t i = 0; i < inputs_.size(); ++i) device.copy_to_device(arena_.get() + plan_->inputs()[i].offset, inputs_[i].data(), inputs_[i].bytes());
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    if (!step_ns.empty()) device.synchronise();
    const std::int64_t before = now_ns();
    steps_[i]();
    if (step_ns.empty()) continue;
    device.synchronise();
    step_ns[i] = now_ns() - before;
  }
  for (std::size_t i = 0; i < outputs_.size(); ++i) device.copy_to_host(outputs_[i].data(), arena_.get() + plan_->outputs()[i].offset, outputs_[i].bytes());
}

void Executable::run_on_device(std::span<std::int64_t> step_ns) {
  if (stopped()) throw Cancelled();
  kernels::cuda::Backend& device = kernels::cuda::backend();
  if (!step_ns.empty()) {
    send_steps(step_ns);
  } else if (recorded_) {
    recorded_();
  } else {
    // The first run sends them as they are: CUDA loads a kernel at its first launch, which had better not fall into a recording.
    send_steps({});
    device.synchronise();
    recorded_ = device.record([this] { send_steps({}); });
  }
  device.synchronise();
  for (std::size_t i = 0; done_ && i < steps_.size(); ++i) done_(i);
}

void Executable::run_steps(std::size_t first, std::size_t end, std::span<std::int64_t> step_ns) {
  use_threads(plan_->threads());
  for (std::size_t i = first; i < end;) {
    if (stopped()) throw Cancelled();
    if (steps_[i].by_team()) {
      i = run_together(i, end, step_ns);
      continue;
    }
    const std::int64_t before = clock_();
    steps_[i]();
    if (!step_ns.empty()) step_ns[i] = clock_() - before;
    if (done_) done_(i);
    ++i;
  }
}

// Runs the team's steps from `first` on, up to `all`; returns the first step that is not among them; throws Cancelled.
std::size_t Executable::run_together(std::size_t first, std::size_t all, std::span<std::int64_t> step_ns) {
  std::size_t end = first;
  while (end < all && steps_[end].by_team()) ++end;
  // The step behind which all stop. Only member 0 decides, before the barrier of that step; a member that is late at that
  // barrier may read a decision about a later step, and goes on to it.
  std::atomic<std::size_t> last = end;
  team_.run([&](const Member& member) {
    std::int64_t before = clock_();
    for (std::size_t i = first; i < end; ++i) {
      steps_[i].run_part(member);
      if (member.index() == 0 && i + 1 < end && stopped()) last.store(i, std::memory_order_relaxed);
      member.barrier();
      if (last.load(std::memory_order_relaxed) <= i) return;
      if (member.index() == 0 && done_) done_(i);
      if (step_ns.empty() || member.index() != 0) continue;
      const std::int64_t after = clock_();
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
