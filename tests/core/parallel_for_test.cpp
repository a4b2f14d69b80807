#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <set>
#include <vector>

#include "core/parallel_for.hpp"

namespace edgelab {
namespace {

TEST(ParallelFor, VisitsEveryIndexOnce) {
  for (const std::int64_t count : {0, 1, 2, 7, 64, 1000}) {
    for (const int threads : {1, 2, 3, 8}) {
      std::vector<std::atomic<int>> visits(static_cast<std::size_t>(count));
      parallel_for(count, threads, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) ++visits[static_cast<std::size_t>(i)];
      });
      for (const auto& visit : visits) ASSERT_EQ(visit, 1) << count << " over " << threads;
    }
  }
}

std::set<std::pair<std::int64_t, std::int64_t>> parts_of(std::int64_t count, int threads) {
  std::set<std::pair<std::int64_t, std::int64_t>> parts;
  std::mutex mutex;
  parallel_for(count, threads, [&](std::int64_t begin, std::int64_t end) {
    const std::lock_guard lock(mutex);
    parts.emplace(begin, end);
  });
  return parts;
}

TEST(ParallelFor, SplitsIntoNearEqualPartsTheSameEachTime) {
  const auto parts = parts_of(10, 3);
  ASSERT_EQ(parts.size(), 3u);
  for (const auto& [begin, end] : parts) {
    EXPECT_GE(end - begin, 3);
    EXPECT_LE(end - begin, 4);
  }
  for (int i = 0; i < 20; ++i) EXPECT_EQ(parts_of(10, 3), parts);
}

TEST(ParallelFor, MakesNoMorePartsThanThereIsWork) { EXPECT_EQ(parts_of(2, 8).size(), 2u); }

}  // namespace
}  // namespace edgelab
