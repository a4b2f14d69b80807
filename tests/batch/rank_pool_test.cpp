#include "batch/rank_pool.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "core/random.hpp"

namespace edgelab::batch {
namespace {

using tasks::Placement;
using testing::ElementsAre;

TEST(RankPool, PacksOnTheFullestHostThatHasRoomForAll) {
  RankPool pool({0, 0, 0, 1, 1, 2}, 3);
  EXPECT_THAT(pool.take({1}), ElementsAre(5));
  EXPECT_THAT(pool.take({2}), ElementsAre(3, 4));
  EXPECT_THAT(pool.take({3}), ElementsAre(0, 1, 2));
}

TEST(RankPool, PacksOnTheEmptiestHostsWhereNoneHasRoomForAll) {
  RankPool pool({0, 0, 1, 1, 1, 2, 3}, 4);
  EXPECT_THAT(pool.take({4}), ElementsAre(2, 3, 4, 5));  // three, and the rest on the fullest that has room for it
}

TEST(RankPool, SpreadsEvenlyOverAllHosts) {
  RankPool pool({0, 0, 0, 1, 1, 1, 2, 2, 2}, 3);
  EXPECT_THAT(pool.take({3, RankPool::kEverywhere, Placement::spread}), ElementsAre(0, 3, 6));
  EXPECT_THAT(pool.take({4, RankPool::kEverywhere, Placement::spread}), ElementsAre(1, 2, 4, 7));
  EXPECT_THAT(pool.take({2, RankPool::kEverywhere, Placement::spread}), ElementsAre(5, 8));
}

TEST(RankPool, OrdersRanksHostByHostSoThatNeighboursShareOne) {
  RankPool pool({0, 1, 2, 0, 1, 2}, 3);  // as mpirun --map-by node numbers them
  EXPECT_THAT(pool.take({4}), ElementsAre(0, 3, 1, 4));
  pool.give_back(3);
  pool.give_back(1);
  EXPECT_THAT(pool.take({4}), ElementsAre(1, 2, 5, 3));
}

TEST(RankPool, KeepsToTheHostsOfAZoneAndUsesThoseOfAnotherLast) {
  RankPool pool({0, 0, 1, 1, 2, 2}, 3);
  const RankPool::Zone zone = pool.zone_of({1, 2}), other = pool.zone_of({2});
  EXPECT_EQ(pool.zone_of({1, 2}), zone);
  EXPECT_EQ(pool.free(zone), 4);
  EXPECT_EQ(pool.free_outside(zone, other), 2);
  EXPECT_EQ(pool.free_outside(other, zone), 0);
  EXPECT_THAT(pool.take({3, zone, Placement::pack, &other}), ElementsAre(2, 3, 4));
  EXPECT_THAT(pool.take({1, zone}), ElementsAre(5));
  EXPECT_EQ(pool.free(zone), 0);
  EXPECT_EQ(pool.free(), 2);
  EXPECT_EQ(pool.usable(zone), 4);
}

TEST(RankPool, AZoneOfNoHostHasNoRank) {
  RankPool pool({0}, 1);
  const RankPool::Zone none = pool.zone_of({});
  EXPECT_EQ(pool.free(none) + pool.usable(none) + pool.alive(none), 0);
}

// Every count against one made by going over all ranks, under thousands of random events.
TEST(RankPool, CountsRightWhateverIsTakenDrainedAndLost) {
  CounterRandom random(11);
  const auto below = [&](std::size_t limit) { return static_cast<std::size_t>(random.below(limit)); };
  std::vector<int> host_of_rank;
  for (int rank = 0; rank < 40; ++rank) host_of_rank.push_back(static_cast<int>(below(8)));
  RankPool pool(host_of_rank, 8);
  std::vector<RankPool::Zone> zones = {RankPool::kEverywhere, pool.zone_of({0, 3, 5}), pool.zone_of({3, 4})};
  std::set<int> taken, lost, lost_for_now;
  for (int step = 0; step < 5000; ++step) {
    const RankPool::Zone zone = zones[below(3)];
    const auto kind = below(100);
    if (kind < 45 && pool.free(zone) > 0) {
      const auto count = 1 + static_cast<int>(below(static_cast<std::size_t>(pool.free(zone))));
      for (const int rank : pool.take({count, zone, below(2) == 0 ? Placement::pack : Placement::spread,
                                       below(2) == 0 ? nullptr : &zones[1]})) {
        ASSERT_TRUE(taken.insert(rank).second && lost.count(rank) == 0 && pool.in_zone(rank, zone));
        ASSERT_FALSE(pool.is_drained(static_cast<std::size_t>(host_of_rank[static_cast<std::size_t>(rank)])));
      }
    } else if (kind < 90 && !taken.empty()) {
      const int rank = *std::next(taken.begin(), static_cast<std::ptrdiff_t>(below(taken.size())));
      taken.erase(rank);
      pool.give_back(rank);
    } else if (kind < 99) {
      pool.set_drained(below(8), below(2) == 0);
    } else if (lost.size() < 20) {
      const auto rank = static_cast<int>(below(40));
      const bool for_good = below(2) == 0;
      pool.lose(rank, for_good);
      if (lost.insert(rank).second && !for_good) lost_for_now.insert(rank);
      taken.erase(rank);
    }
    for (const RankPool::Zone each : zones) {
      int free = 0, usable = 0, alive = 0;
      for (int rank = 0; rank < 40; ++rank) {
        if (!pool.in_zone(rank, each)) continue;
        if (lost.count(rank) == 0 || lost_for_now.count(rank) > 0) ++alive;
        if (lost.count(rank) > 0) continue;
        if (pool.is_drained(static_cast<std::size_t>(host_of_rank[static_cast<std::size_t>(rank)]))) continue;
        ++usable;
        free += taken.count(rank) == 0 ? 1 : 0;
      }
      ASSERT_EQ(pool.free(each), free);
      ASSERT_EQ(pool.usable(each), usable);
      ASSERT_EQ(pool.alive(each), alive);
    }
  }
  EXPECT_GT(lost.size(), 5u);
  EXPECT_EQ(pool.lost_for_now(), !lost_for_now.empty());
}

// Against every choice of hosts: no packing touches fewer hosts, no spreading is less even.
TEST(RankPool, PacksOnAsFewHostsAndSpreadsAsEvenlyAsCanBe) {
  CounterRandom random(5);
  for (int round = 0; round < 500; ++round) {
    std::vector<int> room(5), host_of_rank;
    for (int host = 0; host < 5; ++host) {
      room[static_cast<std::size_t>(host)] = static_cast<int>(random.below(5));
      host_of_rank.insert(host_of_rank.end(), static_cast<std::size_t>(room[static_cast<std::size_t>(host)]), host);
    }
    if (host_of_rank.empty()) continue;
    const int count = 1 + static_cast<int>(random.below(host_of_rank.size()));
    const auto per_host = [&](Placement placement) {
      std::vector<int> result(5, 0);
      for (const int rank : RankPool(host_of_rank, 5).take({count, RankPool::kEverywhere, placement})) {
        ++result[static_cast<std::size_t>(host_of_rank[static_cast<std::size_t>(rank)])];
      }
      return result;
    };
    std::size_t fewest = 5;
    for (unsigned chosen = 0; chosen < 32; ++chosen) {
      int holds = 0;
      std::size_t hosts = 0;
      for (unsigned host = 0; host < 5; ++host) {
        if ((chosen >> host & 1u) == 0) continue;
        holds += room[host];
        ++hosts;
      }
      if (holds >= count) fewest = std::min(fewest, hosts);
    }
    const std::vector<int> packed = per_host(Placement::pack);
    EXPECT_EQ(5 - static_cast<std::size_t>(std::count(packed.begin(), packed.end(), 0)), fewest);
    // Even: none has two more than another that still has room.
    const std::vector<int> spread = per_host(Placement::spread);
    for (std::size_t a = 0; a < 5; ++a) {
      for (std::size_t b = 0; b < 5; ++b) {
        if (spread[b] < room[b]) {
          EXPECT_LE(spread[a], spread[b] + 1);
        }
      }
    }
  }
}

}  // namespace
}  // namespace edgelab::batch
