#include "core/memory_rate.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <new>
#include <span>
#include <vector>

#include "core/clock.hpp"
#include "core/machine.hpp"
#include "core/thread_team.hpp"

namespace edgelab {
namespace {

constexpr std::int64_t kLeastBytes = 64LL << 20, kMostBytes = 256LL << 20;
constexpr std::int64_t kLineWords = 8;  // a cache line
constexpr int kRounds = 4;

// A sixteenth of the memory at most: a board with 512 MB is not to swap for this.
std::int64_t words_to_read() {
  std::int64_t cache = 0;
  for (const int level : {_SC_LEVEL2_CACHE_SIZE, _SC_LEVEL3_CACHE_SIZE, _SC_LEVEL4_CACHE_SIZE}) cache = std::max<std::int64_t>(cache, sysconf(level));
  std::int64_t bytes = std::clamp(2 * cache, kLeastBytes, kMostBytes);
  if (this_machine().memory_bytes > 0) bytes = std::min(bytes, this_machine().memory_bytes / 16);
  return bytes / static_cast<std::int64_t>(sizeof(std::uint64_t)) / kLineWords * kLineWords;
}

// As many sums as a line has words, so that no load waits for an addition.
std::uint64_t sum_of(std::span<const std::uint64_t> words) {
  std::uint64_t sums[kLineWords] = {};
  for (std::size_t i = 0; i + kLineWords <= words.size(); i += kLineWords) {
    for (std::size_t k = 0; k < kLineWords; ++k) sums[k] += words[i + k];
  }
  std::uint64_t sum = 0;
  for (const std::uint64_t part : sums) sum += part;
  return sum;
}

}  // namespace

double measured_memory_read_rate(int threads) {
  const std::int64_t count = words_to_read();
  const std::unique_ptr<std::uint64_t[]> words(new (std::nothrow) std::uint64_t[static_cast<std::size_t>(count)]);
  if (!words) return 0.0;
  ThreadTeam team(threads);
  const auto mine = [&](const Member& member) {
    const Member::Part part = member.part(count, kLineWords);
    return std::span(words.get() + part.begin, static_cast<std::size_t>(part.size()));
  };
  // Written first by who reads it, so that it lies in memory near that core.
  team.run([&](const Member& member) { std::ranges::fill(mine(member), 1); });
  std::vector<std::uint64_t> sums(static_cast<std::size_t>(team.size()));
  std::uint64_t sum = 0;
  double best = 0.0;
  for (int round = 0; round < kRounds; ++round) {
    const std::int64_t began = now_ns();
    team.run([&](const Member& member) { sums[static_cast<std::size_t>(member.index())] = sum_of(mine(member)); });
    const auto took = static_cast<double>(std::max<std::int64_t>(1, now_ns() - began));
    best = std::max(best, 1e9 * static_cast<double>(count) * sizeof(std::uint64_t) / took);
    for (const std::uint64_t part : sums) sum += part;
  }
  return sum == static_cast<std::uint64_t>(kRounds * count) ? best : 0.0;  // asked for, so that no compiler leaves the reading out
}

}  // namespace edgelab
