#pragma once

#include <atomic>
#include <exception>

namespace edgelab {

// Ends a job on all its ranks in two steps, because MPI can't take back a collective that has begun, and the buffers of
// one that a rank gave up may still be written to by a peer that enters it late:
//   stop()    no new operation begins here; one that waits goes on waiting
//   release() every member has stopped, so what has not completed never will: waits throw Cancelled
// stop() on every member must come before release() on any.
class CancelToken {
 public:
  void stop() noexcept { raise_to(1); }
  void release() noexcept { raise_to(2); }
  bool stopping() const noexcept { return state_.load(std::memory_order_acquire) >= 1; }
  bool released() const noexcept { return state_.load(std::memory_order_acquire) >= 2; }

 private:
  void raise_to(int wanted) noexcept {
    int now = state_.load();
    while (now < wanted && !state_.compare_exchange_weak(now, wanted)) {
    }
  }
  std::atomic<int> state_{0};
};

// Thrown by a Communicator's operations, by an Executable between two steps, and by tasks that poll, once their job is
// cancelled. Not an Error: nothing is wrong.
class Cancelled : public std::exception {
 public:
  const char* what() const noexcept override { return "the job was cancelled"; }
};

}  // namespace edgelab
