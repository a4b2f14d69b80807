#include "parallel/link_speed.hpp"

#include <gtest/gtest.h>

namespace edgelab::parallel {
namespace {

TEST(LinkSpeed, EveryPairFindsATimeAndARateEachWay) {
  const Communicator all = Communicator::world().duplicate();
  int links = 0;
  for (int round = 0; round < rounds_of_pairs(all.size()); ++round) {
    const std::optional<int> peer = peer_in_round(all.rank(), round, all.size());
    if (!peer) continue;
    const Link link = link_to(all, *peer);
    EXPECT_GT(link.latency_ns, 0.0);
    EXPECT_GT(link.ns_per_byte, 0.0);
    ++links;
  }
  EXPECT_EQ(links, all.size() - 1);
  all.barrier();
}

}  // namespace
}  // namespace edgelab::parallel
