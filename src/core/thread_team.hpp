#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace edgelab {

// Where the members of a team wait for each other: spins for a while, then sleeps in the kernel. It may be used again at
// once. Everything a member wrote before it is seen by every member after it.
class TeamBarrier {
 public:
  // spins: how often to look before sleeping; 0 where members outnumber cores, since whoever spins then keeps the core from
  // the one that is waited for.
  TeamBarrier(int members, int spins) : members_(members), spins_(spins) {}
  void wait() noexcept;
  int members() const { return members_; }

 private:
  const int members_, spins_;
  alignas(64) std::atomic<int> arrived_{0};
  alignas(64) std::atomic<std::uint32_t> round_{0};
};

// A team as one of its threads sees it while all of them run the same function.
class Member {
 public:
  Member(int index, TeamBarrier* barrier) : index_(index), barrier_(barrier) {}

  int index() const { return index_; }  // 0 is the caller's own thread
  int count() const { return barrier_ == nullptr ? 1 : barrier_->members(); }
  // Every member must come here equally often.
  void barrier() const noexcept {
    if (barrier_ != nullptr) barrier_->wait();
  }

  struct Part {
    std::int64_t begin = 0, end = 0;
    std::int64_t size() const { return end - begin; }
  };
  // This member's contiguous part of [0, total), a whole number of `grain`s but for the last; the same in every run.
  Part part(std::int64_t total, std::int64_t grain = 1) const {
    const std::int64_t grains = (total + grain - 1) / grain, n = count();
    return {std::min(total, grains * index_ / n * grain), std::min(total, grains * (index_ + 1) / n * grain)};
  }

 private:
  int index_;
  TeamBarrier* barrier_;
};

// Threads that run one function together, each with its share of the work fixed by its index.
//
// They are OpenMP's, for two reasons. oneDNN's primitives open regions of their own: with one pool the same threads serve
// both, one after the other, where a second pool would spin against the first. And libgomp's threads stay between regions
// (they spin, then sleep), so that opening one costs 1 to 2 µs. A whole inference is one region where its steps allow.
//
// A team is pinned while it runs, a core a member, where the caller's affinity mask has that many; the caller's own mask is
// put back at the end, so that threads it starts later are free.
class ThreadTeam {
 public:
  explicit ThreadTeam(int threads);

  int size() const { return barrier_.members(); }
  // Calls work(member) on every thread of the team, returns when all have ended. Where no more threads are to be had (a team
  // inside a parallel region), on the caller alone, with a count of 1. Not reentrant. Exceptions must not leave `work`.
  // Allocates nothing.
  template <class Work> void run(const Work& work) {
    run_erased([](const void* callable, const Member& member) { (*static_cast<const Work*>(callable))(member); }, &work);
  }

 private:
  using Function = void (*)(const void* work, const Member& member);
  void run_erased(Function function, const void* work);

  TeamBarrier barrier_;
};

}  // namespace edgelab
