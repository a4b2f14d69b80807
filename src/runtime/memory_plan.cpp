#include "runtime/memory_plan.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

#include "core/tensor.hpp"

namespace edgelab::runtime {
namespace {

std::size_t aligned(std::size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

bool meet(const Lifetime& a, const Lifetime& b) { return a.first <= b.last && b.first <= a.last; }

struct Placed {
  std::size_t offset, end;
};

// The tightest gap between blocks that are alive beside this one; behind the last of them if no gap is wide enough.
std::size_t best_gap(std::vector<Placed> neighbours, std::size_t bytes) {
  std::sort(neighbours.begin(), neighbours.end(), [](const Placed& a, const Placed& b) { return a.offset < b.offset; });
  std::size_t best = 0, best_width = std::numeric_limits<std::size_t>::max(), end = 0;
  bool found = false;
  for (const Placed& block : neighbours) {
    if (block.offset > end && block.offset - end >= bytes && block.offset - end < best_width) {
      best = end;
      best_width = block.offset - end;
      found = true;
    }
    end = std::max(end, block.end);
  }
  return found ? best : end;
}

std::size_t most_alive(const std::vector<Lifetime>& lifetimes) {
  std::size_t most = 0;
  for (const Lifetime& moment : lifetimes) {  // the peak is reached where some block begins
    std::size_t alive = 0;
    for (const Lifetime& other : lifetimes) {
      if (other.first <= moment.first && moment.first <= other.last) alive += aligned(other.bytes);
    }
    most = std::max(most, alive);
  }
  return most;
}

}  // namespace

MemoryPlan plan_memory(const std::vector<Lifetime>& lifetimes) {
  std::vector<std::size_t> order(lifetimes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return lifetimes[a].bytes > lifetimes[b].bytes; });
  MemoryPlan plan;
  plan.offsets.resize(lifetimes.size());
  std::vector<std::size_t> done;
  for (const std::size_t block : order) {
    std::vector<Placed> neighbours;
    for (const std::size_t other : done) {
      if (meet(lifetimes[block], lifetimes[other])) neighbours.push_back({plan.offsets[other], plan.offsets[other] + aligned(lifetimes[other].bytes)});
    }
    plan.offsets[block] = best_gap(std::move(neighbours), aligned(lifetimes[block].bytes));
    plan.bytes = std::max(plan.bytes, plan.offsets[block] + aligned(lifetimes[block].bytes));
    done.push_back(block);
  }
  plan.lower_bound = most_alive(lifetimes);
  return plan;
}

}  // namespace edgelab::runtime
