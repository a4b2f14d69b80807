#include "core/thread_team.hpp"

#include <sched.h>

#include "core/parallel_region.hpp"

namespace edgelab {
namespace {

// About 50 µs of looking: longer than any wait between two steps that are dealt out evenly, shorter than a time slice.
constexpr int kSpins = 4000;

void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("isb");  // `yield` is a no-op on most cores
#endif
}

cpu_set_t affinity() {
  cpu_set_t set;
  CPU_ZERO(&set);
  sched_getaffinity(0, sizeof set, &set);
  return set;
}

int nth_core(const cpu_set_t& set, int n) {
  for (int core = 0; core < CPU_SETSIZE; ++core) {
    if (CPU_ISSET(core, &set) && n-- == 0) return core;
  }
  return -1;
}

void pin(int core) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(core, &set);
  sched_setaffinity(0, sizeof set, &set);
}

// OpenMP's threads belong to whom created them and keep their numbers, so that one that is pinned stays where it is.
void pin_worker(int core) {
  thread_local int pinned = -1;
  if (pinned == core) return;
  pin(core);
  pinned = core;
}

int spins_for(int members) {
  const cpu_set_t set = affinity();
  return members <= CPU_COUNT(&set) ? kSpins : 0;
}

}  // namespace

void TeamBarrier::wait() noexcept {
  const std::uint32_t round = round_.load(std::memory_order_relaxed);
  if (arrived_.fetch_add(1, std::memory_order_acq_rel) == members_ - 1) {
    arrived_.store(0, std::memory_order_relaxed);
    round_.store(round + 1, std::memory_order_release);
    round_.notify_all();  // asks the kernel only where somebody sleeps
    return;
  }
  for (int i = 0; i < spins_; ++i) {
    if (round_.load(std::memory_order_acquire) != round) return;
    pause();
  }
  while (round_.load(std::memory_order_acquire) == round) round_.wait(round, std::memory_order_acquire);
}

ThreadTeam::ThreadTeam(int threads) : barrier_(std::max(1, threads), spins_for(threads)) {}

void ThreadTeam::run_erased(Function function, const void* work) {
  if (size() == 1) return function(work, Member(0, nullptr));
  const cpu_set_t cores = affinity();
  struct Region {
    Function function;
    const void* work;
    TeamBarrier* barrier;
    const cpu_set_t* cores;  // null: not pinned
  };
  const bool pinned = CPU_COUNT(&cores) >= size();
  const Region region{function, work, &barrier_, pinned ? &cores : nullptr};
  detail::run_region(
      size(),
      [](const void* opaque, int index, int count) {
        const Region& r = *static_cast<const Region*>(opaque);
        if (r.cores != nullptr && index == 0) pin(nth_core(*r.cores, 0));
        if (r.cores != nullptr && index > 0) pin_worker(nth_core(*r.cores, index));
        // Inside another region, or past a limit on threads, there are fewer: then the caller does it alone.
        if (count == r.barrier->members()) {
          r.function(r.work, Member(index, r.barrier));
        } else if (index == 0) {
          r.function(r.work, Member(0, nullptr));
        }
      },
      &region);
  if (pinned) sched_setaffinity(0, sizeof cores, &cores);
}

}  // namespace edgelab
