#pragma once

#include <memory>
#include <vector>

#include "core/tensor.hpp"
#include "runtime/plan.hpp"

namespace edgelab::runtime {

// A plan with memory of its own, ready to run. Not safe for several threads at once; make one each, on the same plan.
class Executable {
 public:
  explicit Executable(std::shared_ptr<const Plan> plan);

  // Views into the arena: write the input, run, read the output. Row-major, as the graph's types say.
  Tensor input(std::size_t index = 0) const { return inputs_[index]; }
  Tensor output(std::size_t index = 0) const { return outputs_[index]; }

  // Computes the outputs from the inputs. Blocks until done; allocates nothing; inputs are left as they are.
  void run();
  // One run with every step timed, nanoseconds into `step_ns` (as many as there are steps).
  void run_timed(std::span<std::int64_t> step_ns);

  const Plan& plan() const { return *plan_; }

 private:
  std::shared_ptr<const Plan> plan_;
  std::shared_ptr<std::byte> arena_;
  std::vector<Tensor> inputs_, outputs_;
  std::vector<kernels::Step> steps_;
};

// Median time of each step over `runs` runs, nanoseconds.
std::vector<std::int64_t> profile(Executable& executable, int runs);

}  // namespace edgelab::runtime
