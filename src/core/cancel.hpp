#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <optional>

namespace edgelab {

// Ends a job on all its ranks in two steps, because MPI can't take back a collective that has begun, and the buffers of
// one that a rank gave up may still be written to by a peer that enters it late:
//   stop()    no new operation begins here; one that waits goes on waiting
//   release() every member has stopped, so what has not completed never will: waits throw Cancelled
// stop() on every member must come before release() on any.
//
// The job in turn says what it has waited for so long that it sleeps: who ends it for being late wants to know who kept it.
class CancelToken {
 public:
  struct Wait {
    int peer = kEverybody;      // a rank of the program's world
    std::int64_t since_ms = 0;  // now_ns() / 10⁶
  };
  static constexpr int kEverybody = -1;

  void stop() noexcept { raise_to(1); }
  void release() noexcept { raise_to(2); }
  bool stopping() const noexcept { return state_.load(std::memory_order_acquire) >= 1; }
  bool released() const noexcept { return state_.load(std::memory_order_acquire) >= 2; }

  // Of several threads that wait at once the last to begin counts.
  void waits(const Wait& wait) const noexcept { wait_.store(static_cast<std::uint64_t>(wait.peer + 2) << kTimeBits | static_cast<std::uint64_t>(wait.since_ms), std::memory_order_relaxed); }
  void waits_no_longer() const noexcept { wait_.store(0, std::memory_order_relaxed); }
  std::optional<Wait> wait() const noexcept {
    const std::uint64_t now = wait_.load(std::memory_order_relaxed);
    if (now == 0) return {};
    return Wait{static_cast<int>(now >> kTimeBits) - 2, static_cast<std::int64_t>(now & ((std::uint64_t{1} << kTimeBits) - 1))};
  }

 private:
  void raise_to(int wanted) noexcept {
    int now = state_.load();
    while (now < wanted && !state_.compare_exchange_weak(now, wanted)) {
    }
  }
  static constexpr int kTimeBits = 44;  // of milliseconds: five hundred years

  std::atomic<int> state_{0};
  mutable std::atomic<std::uint64_t> wait_{0};  // (peer + 2, since), so that both are of one wait; 0: none
};

// Thrown by a Communicator's operations, by an Executable between two steps, and by tasks that poll, once their job is
// cancelled. Not an Error: nothing is wrong.
class Cancelled : public std::exception {
 public:
  const char* what() const noexcept override { return "the job was cancelled"; }
};

}  // namespace edgelab
