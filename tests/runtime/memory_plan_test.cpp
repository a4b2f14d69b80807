#include "runtime/memory_plan.hpp"

#include <gtest/gtest.h>

#include "core/random.hpp"
#include "core/tensor.hpp"

namespace edgelab::runtime {
namespace {

TEST(MemoryPlan, BlocksAliveTogetherNeverOverlap) {
  CounterRandom random(3);
  for (int trial = 0; trial < 200; ++trial) {
    std::vector<Lifetime> lifetimes;
    for (std::uint64_t i = 0; i < 2 + random.below(40); ++i) {
      const int first = static_cast<int>(random.below(30));
      lifetimes.push_back({random.below(5000), first, first + static_cast<int>(random.below(6))});
    }
    const MemoryPlan plan = plan_memory(lifetimes);
    EXPECT_GE(plan.bytes, plan.lower_bound);
    for (std::size_t a = 0; a < lifetimes.size(); ++a) {
      EXPECT_EQ(plan.offsets[a] % kAlignment, 0u);
      EXPECT_LE(plan.offsets[a] + lifetimes[a].bytes, plan.bytes);
      for (std::size_t b = 0; b < a; ++b) {
        const bool together = lifetimes[a].first <= lifetimes[b].last && lifetimes[b].first <= lifetimes[a].last;
        const bool apart = plan.offsets[a] + lifetimes[a].bytes <= plan.offsets[b] || plan.offsets[b] + lifetimes[b].bytes <= plan.offsets[a];
        EXPECT_TRUE(!together || apart || lifetimes[a].bytes == 0 || lifetimes[b].bytes == 0);
      }
    }
  }
}

TEST(MemoryPlan, AChainOfLayersNeedsOnlyItsTwoLargestNeighbours) {
  std::vector<Lifetime> lifetimes;
  for (int layer = 0; layer < 50; ++layer) lifetimes.push_back({static_cast<std::size_t>(64 * (1 + layer % 7)), layer, layer + 1});
  const MemoryPlan plan = plan_memory(lifetimes);
  EXPECT_EQ(plan.lower_bound, 64u * (6 + 7));
  EXPECT_LE(plan.bytes, plan.lower_bound * 11 / 10 + 64);
}

TEST(MemoryPlan, NothingNeedsNothing) { EXPECT_EQ(plan_memory({}).bytes, 0u); }

}  // namespace
}  // namespace edgelab::runtime
