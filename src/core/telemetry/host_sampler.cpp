#include "core/telemetry/host_sampler.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "core/clock.hpp"

namespace edgelab {

HostSampler::HostSampler(std::filesystem::path root, std::vector<int> cores, std::int64_t interval_ns)
    : interval_ns_(interval_ns), readings_(std::move(root), std::move(cores)) {}

HostSampler::~HostSampler() {
  {
    const std::lock_guard lock(mutex_);
    ends_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void HostSampler::open() {
  {
    const std::lock_guard lock(mutex_);
    readings_.open(now_ns());
    open_ = true;
  }
  changed_.notify_all();
  if (!thread_.joinable()) thread_ = std::thread([this] { work(); });
}

void HostSampler::close() {
  const std::lock_guard lock(mutex_);
  open_ = false;
  readings_.close(now_ns());
  changed_.notify_all();
}

// How long it took.
std::int64_t HostSampler::read() {
  const std::int64_t began = now_ns();
  readings_.read(began);
  const std::int64_t took = now_ns() - began;
  reading_ns_ += took;
  return took;
}

void HostSampler::work() {
  std::unique_lock lock(mutex_);
  std::int64_t took = 0;
  while (!ends_) {
    if (!open_) {
      changed_.wait(lock, [&] { return open_ || ends_; });
      continue;
    }
    const std::chrono::nanoseconds rest(std::max(interval_ns_, kRestOverReading * took));
    if (changed_.wait_for(lock, rest, [&] { return !open_ || ends_; })) continue;
    took = read();
  }
}

}  // namespace edgelab
