#include "parallel/link_speed.hpp"

#include <gtest/gtest.h>

#include <map>
#include <utility>

namespace edgelab::parallel {
namespace {

TEST(Pairs, EachRankMeetsEachOtherOnceAndOnlyOneAtATime) {
  for (int ranks = 1; ranks <= 9; ++ranks) {
    std::map<std::pair<int, int>, int> met;
    for (int round = 0; round < rounds_of_pairs(ranks); ++round) {
      for (int rank = 0; rank < ranks; ++rank) {
        const std::optional<int> peer = peer_in_round(rank, round, ranks);
        if (!peer) continue;
        ASSERT_NE(*peer, rank);
        EXPECT_EQ(peer_in_round(*peer, round, ranks), rank) << ranks << " ranks, round " << round;
        ++met[{rank, *peer}];
      }
    }
    EXPECT_EQ(met.size(), static_cast<std::size_t>(ranks * (ranks - 1)));
    for (const auto& [pair, times] : met)
      EXPECT_EQ(times, 1) << pair.first << " and " << pair.second << " of " << ranks;
  }
}

TEST(Pairs, TakeNoMoreRoundsThanTheyMust) {
  EXPECT_EQ(rounds_of_pairs(1), 0);
  EXPECT_EQ(rounds_of_pairs(4), 3);
  EXPECT_EQ(rounds_of_pairs(5), 5);
}

}  // namespace
}  // namespace edgelab::parallel
