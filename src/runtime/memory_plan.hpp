#pragma once

#include <cstddef>
#include <vector>

namespace edgelab::runtime {

// A block of memory that must stand from step `first` to step `last`, both included.
struct Lifetime {
  std::size_t bytes = 0;
  int first = 0, last = 0;
};

struct MemoryPlan {
  std::vector<std::size_t> offsets;  // one a lifetime, kAlignment-aligned
  std::size_t bytes = 0;             // of the arena
  std::size_t lower_bound = 0;       // the most that is alive at any one step: no plan can be smaller
};

// Offsets such that blocks alive at the same step don't overlap. Greedy by size, best fit (Pisarchyk and Lee, Efficient
// Memory Management for Deep Neural Net Inference, 2020): within a few per cent of the bound on networks of our kinds.
MemoryPlan plan_memory(const std::vector<Lifetime>& lifetimes);

}  // namespace edgelab::runtime
