#pragma once

#include <chrono>
#include <cstdint>

namespace edgelab::parallel {

// How a wait behaves while nothing happens: spin, then yield, then sleep for doubling times. MPI's own blocking calls
// poll without end: four ranks on two cores saw 17 ms for an 8-byte all-reduce that way, and a waiting Pi burnt a core.
struct Waiting {
  std::chrono::nanoseconds spin = std::chrono::microseconds(5);
  std::chrono::nanoseconds yield = std::chrono::microseconds(50);
  std::chrono::nanoseconds first_sleep = std::chrono::microseconds(20);
  std::chrono::nanoseconds longest_sleep = std::chrono::milliseconds(1);
};

// One wait. Call pause() after every look that found nothing.
class Backoff {
 public:
  explicit Backoff(const Waiting& waiting);
  // Whether it slept: nothing has happened for a while, then.
  bool pause();
  // How long the next pause would sleep; zero while it still spins or yields. For callers that sleep by other means.
  std::chrono::nanoseconds next_sleep();

 private:
  Waiting waiting_;
  std::int64_t start_ns_;
  std::chrono::nanoseconds sleep_;
};

}  // namespace edgelab::parallel
