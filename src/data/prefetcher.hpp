#pragma once

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace edgelab::data {

// Makes the things numbered [0, count) in threads of its own, ahead of one consumer that takes them in order. Each thread
// makes whole things, so that threads share nothing but the claims. Destroying it midway stops the threads as soon as what
// they call looks at `stopping`.
template <class Made>
class Prefetcher {
 public:
  // Makes one thing; called from one thread alone, so it may keep scratch memory. What is returned once `stopping` is set
  // is thrown away.
  using Make = std::function<Made(std::int64_t number, const std::atomic<bool>& stopping)>;

  // Starts the threads, each of which calls `maker` once for its own Make. At most `depth` things are ready or in the
  // making. All three numbers but `count` are at least 1.
  Prefetcher(std::int64_t count, int threads, int depth, std::function<Make()> maker)
      : count_(count), slots_(static_cast<std::size_t>(depth)), maker_(std::move(maker)) {
    try {
      for (std::int64_t i = 0; i < std::min<std::int64_t>(threads, count); ++i) threads_.emplace_back([this] { work(); });
    } catch (...) {  // a thread that can't be started: the others must not wait for ever
      stop();
      throw;
    }
  }
  ~Prefetcher() { stop(); }
  Prefetcher(const Prefetcher&) = delete;
  Prefetcher& operator=(const Prefetcher&) = delete;

  std::int64_t count() const { return count_; }

  // The next thing, or nothing after the last. Blocks until it is ready. Where one could not be made it throws what its
  // thread threw, at that one's turn and again on every later call.
  std::optional<Made> next() {
    std::optional<Made> made;
    {
      std::unique_lock lock(mutex_);
      if (taken_ == count_) return std::nullopt;
      Slot& slot = slot_of(taken_);
      changed_.wait(lock, [&] { return slot.made || slot.failure; });
      if (slot.failure) std::rethrow_exception(slot.failure);
      made = std::exchange(slot.made, std::nullopt);
      ++taken_;
    }
    changed_.notify_all();
    return made;
  }

 private:
  // One place of the queue: thing n is made in slot n % depth. `failure` stands instead of a thing.
  struct Slot {
    std::optional<Made> made;
    std::exception_ptr failure;
  };

  Slot& slot_of(std::int64_t number) { return slots_[static_cast<std::size_t>(number) % slots_.size()]; }

  void stop() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
  }

  // A number is claimed only when its slot is free.
  std::optional<std::int64_t> claim() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] {
      return stopping_ || claimed_ == count_ || claimed_ - taken_ < static_cast<std::int64_t>(slots_.size());
    });
    if (stopping_ || claimed_ == count_) return std::nullopt;
    return claimed_++;
  }

  // A failure ends the claims: what would follow it is never given out.
  void finish(std::int64_t number, Slot slot) {
    {
      const std::lock_guard lock(mutex_);
      if (slot.failure) claimed_ = count_;
      slot_of(number) = std::move(slot);
    }
    changed_.notify_all();
  }

  void work() {
    Make make;
    while (const std::optional<std::int64_t> number = claim()) {
      Slot slot;
      try {
        if (!make) make = maker_();
        slot.made = make(*number, stopping_);
      } catch (...) {
        slot.failure = std::current_exception();
      }
      finish(*number, std::move(slot));
    }
  }

  const std::int64_t count_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Slot> slots_;
  std::int64_t claimed_ = 0, taken_ = 0;
  std::atomic<bool> stopping_ = false;
  const std::function<Make()> maker_;
  std::vector<std::jthread> threads_;  // last: joined before the rest goes
};

}  // namespace edgelab::data
