#include "parallel/backoff.hpp"

#include <sched.h>

#include <algorithm>
#include <thread>

#include "core/clock.hpp"

namespace edgelab::parallel {

Backoff::Backoff(const Waiting& waiting) : waiting_(waiting), start_ns_(now_ns()), sleep_(waiting.first_sleep) {}

std::chrono::nanoseconds Backoff::next_sleep() {
  const std::chrono::nanoseconds waited(now_ns() - start_ns_);
  if (waited < waiting_.spin) return std::chrono::nanoseconds(0);
  if (waited < waiting_.spin + waiting_.yield) {
    sched_yield();
    return std::chrono::nanoseconds(0);
  }
  const std::chrono::nanoseconds now = sleep_;
  sleep_ = std::min(sleep_ * 2, waiting_.longest_sleep);
  return now;
}

bool Backoff::pause() {
  const std::chrono::nanoseconds sleep = next_sleep();
  if (sleep.count() > 0) std::this_thread::sleep_for(sleep);
  return sleep.count() > 0;
}

}  // namespace edgelab::parallel
