#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "core/cancel.hpp"
#include "core/clock.hpp"
#include "core/tensor.hpp"
#include "core/thread_team.hpp"
#include "runtime/plan.hpp"

namespace edgelab::runtime {

// A plan with memory of its own, ready to run. Not safe for several threads at once; make one each, on the same plan.
class Executable {
 public:
  explicit Executable(std::shared_ptr<const Plan> plan);

  // Write the input, run, read the output. Row-major, as the graph's types say: views into the arena, or, of a plan for a device,
  // into page-locked memory of the host that a run copies to the device and back.
  Tensor input(std::size_t index = 0) const { return inputs_[index]; }
  Tensor output(std::size_t index = 0) const { return outputs_[index]; }

  // Asked between two steps of every run from now on, so that a job can be ended in the middle of a long call: a large
  // batch on a small board takes minutes. A run for which it says true throws Cancelled, and its outputs mean nothing.
  void stop_when(std::function<bool()> stop) { stop_ = std::move(stop); }

  // Called on the caller's own thread behind every step of every run from now on, with the step's number, while the others
  // may be in the next one already. Must not throw.
  void after_each_step(std::function<void(std::size_t)> done) { done_ = std::move(done); }

  // Computes the outputs from the inputs. Blocks until done; allocates nothing; inputs are left as they are. On a device the first run
  // records all steps, and each run sends them as one: what stop_when() asks, it asks before that, and after_each_step() is called
  // for all of them at the end.
  void run();
  // The steps from `first` up to `end` alone, for callers that do something else in between: the first half of a run may be long over
  // before the second begins, as long as nothing else runs on this executable meanwhile. Throws Error (usage) on a device.
  void run(std::size_t first, std::size_t end);
  // One run with every step timed, nanoseconds into `step_ns` (as many as there are steps).
  void run_timed(std::span<std::int64_t> step_ns);
  // The clock of that, now_ns() unless told otherwise. Asked on the caller's thread; a device's steps are timed by now_ns() always.
  using Clock = std::int64_t (*)();
  void time_steps_by(Clock clock) { clock_ = clock; }

  const Plan& plan() const { return *plan_; }

 private:
  // Runs steps; consecutive ones of the team go in one region, with a barrier behind each. `step_ns`: empty, or one
  // a step.
  void run_steps(std::size_t first, std::size_t end, std::span<std::int64_t> step_ns);
  std::size_t run_together(std::size_t first, std::size_t end, std::span<std::int64_t> step_ns);
  void place_ports_in_arena();
  void place_ports_on_host();
  void send_steps(std::span<std::int64_t> step_ns);
  void run_on_device(std::span<std::int64_t> step_ns);
  bool stopped() const { return stop_ && stop_(); }

  std::shared_ptr<const Plan> plan_;
  std::shared_ptr<std::byte> arena_;
  std::vector<Tensor> inputs_, outputs_;
  std::vector<kernels::Step> steps_;
  ThreadTeam team_;
  Clock clock_ = now_ns;
  std::shared_ptr<std::byte> pinned_;       // of a plan for a device: inputs and outputs
  std::function<void()> recorded_;          // its steps, once they have run
  std::function<bool()> stop_;              // may be empty
  std::function<void(std::size_t)> done_;  // may be empty
};

// Median time of each step over `runs` runs, nanoseconds.
std::vector<std::int64_t> profile(Executable& executable, int runs);

}  // namespace edgelab::runtime
