#include "batch/signals.hpp"

#include <time.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <cstdint>

namespace edgelab::batch {
namespace {

constexpr std::int64_t kSameSignalNs = 300'000'000;

// Lock-free atomics, clock_gettime and _exit are async-signal-safe; nothing else may be used here.
std::atomic<int> first_signal{0};
std::atomic<std::int64_t> first_time_ns{0};
static_assert(std::atomic<int>::is_always_lock_free && std::atomic<std::int64_t>::is_always_lock_free);

constexpr std::array kSignals = {SIGINT, SIGTERM, SIGHUP, SIGUSR1};
std::array<struct sigaction, kSignals.size()> previous;

void on_signal(int number) {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  const std::int64_t now = std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
  int none = 0;
  if (first_signal.compare_exchange_strong(none, number == SIGINT ? SIGINT : SIGTERM)) {
    first_time_ns = number == SIGHUP ? 0 : now;
  } else if (number == SIGINT || number == SIGTERM) {
    if (first_time_ns != 0 && now - first_time_ns > kSameSignalNs) _exit(128 + number);
    if (first_time_ns == 0) first_time_ns = now;
  }
}

}  // namespace

SignalWatch::SignalWatch() {
  first_signal = 0;
  first_time_ns = 0;
  struct sigaction action {};
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;  // a write to the journal is not cut short
  for (std::size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &action, &previous[i]);
}

SignalWatch::~SignalWatch() {
  for (std::size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &previous[i], nullptr);
}

int SignalWatch::received() { return first_signal; }

}  // namespace edgelab::batch
