#pragma once

#include <optional>

#include "core/machine.hpp"

namespace edgelab::parallel {

// How a rank's processor is held back: it works for `run_ns` of every `period_ns` and stands still for the rest, as Linux's bandwidth
// control does to containers. What a rank leaves unused while it waits it has for what comes next, so work that a wait comes before is
// done faster than at the average pace, by up to a period's standing still.
struct Pace {
  double run_ns = 0.0, period_ns = 0.0;  // both 0: never held back

  bool held_back() const { return run_ns < period_ns; }
  double share() const { return held_back() ? run_ns / period_ns : 1.0; }
};

// Of a rank whose threads use the quota up together.
Pace pace_of(const std::optional<CpuQuota>& quota, int threads);

// One rank's processor, for simulations: when is work done that begins then?
class PacedProcessor {
 public:
  // `phase_ns` after 0 a period begins.
  explicit PacedProcessor(const Pace& pace, double phase_ns = 0.0) : pace_(pace), phase_ns_(phase_ns) {}

  // `work_ns`: at the average pace. Calls come in the order of time. O(periods that it takes).
  double finish(double begin_ns, double work_ns);

 private:
  Pace pace_;
  double phase_ns_;
  double period_ = -1.0;  // the last one worked in, counted
  double used_ns_ = 0.0;  // of its run_ns
};

}  // namespace edgelab::parallel
