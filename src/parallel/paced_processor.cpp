#include "parallel/paced_processor.hpp"

#include <algorithm>
#include <cmath>

namespace edgelab::parallel {

Pace pace_of(const std::optional<CpuQuota>& quota, int threads) {
  if (!quota || quota->run_ns >= threads * quota->period_ns) return {};
  return {quota->run_ns / threads, quota->period_ns};
}

double PacedProcessor::finish(double begin_ns, double work_ns) {
  if (!pace_.held_back()) return begin_ns + work_ns;
  double left = work_ns * pace_.share(), now = begin_ns;
  for (double period = std::max(period_, std::floor((now - phase_ns_) / pace_.period_ns)); left > 0.0; ++period) {
    const double ends = phase_ns_ + (period + 1.0) * pace_.period_ns;
    if (period > period_) period_ = period, used_ns_ = 0.0;
    const double runs = std::clamp(std::min(pace_.run_ns - used_ns_, ends - now), 0.0, left);
    left -= runs;
    used_ns_ += runs;
    now = left > 0.0 ? std::max(now, ends) : now + runs;
  }
  return now;
}

}  // namespace edgelab::parallel
