#pragma once

#include <algorithm>
#include <cstdint>

#include "core/thread_team.hpp"

namespace edgelab::kernels {

// [0, total) dealt out in as many contiguous chunks as the plan has threads. Fewer members may come: then one does several
// chunks, so that what is summed with what depends on the plan alone.
struct Chunks {
  std::int64_t total = 0, count = 1;

  std::int64_t begin(std::int64_t chunk) const { return total * chunk / count; }
  std::int64_t size(std::int64_t chunk) const { return begin(chunk + 1) - begin(chunk); }

  // Calls work(chunk, first, size) for each chunk of this member.
  template <class Work> void each(const Member& member, const Work& work) const {
    const Member::Part mine = member.part(count);
    for (std::int64_t chunk = mine.begin; chunk < mine.end; ++chunk) work(chunk, begin(chunk), size(chunk));
  }

  // The same in blocks, work(first, size), the last one first: for a second pass over what the caches still hold the end of.
  template <class Work> void each_block_backwards(const Member& member, std::int64_t block, const Work& work) const {
    each(member, [&](std::int64_t, std::int64_t first, std::int64_t size) {
      for (std::int64_t left = size; left > 0;) {
        const std::int64_t at = (left - 1) / block * block;
        work(first + at, left - at);
        left = at;
      }
    });
  }
};

// Adds what chunks 1 … count - 1 summed up to what the first did, a chunk's sums `step` floats behind the one before, and hands
// each total to take(index, total): this member's part of `sums` of them.
template <class Take> void join_sums(const Member& member, float* first, std::int64_t count, std::int64_t step, std::int64_t sums, const Take& take) {
  const Member::Part part = member.part(sums, 16);
  for (std::int64_t i = part.begin; i < part.end; ++i) {
    float total = first[i];
    for (std::int64_t chunk = 1; chunk < count; ++chunk) total += first[chunk * step + i];
    take(i, total);
  }
}

}  // namespace edgelab::kernels
