#include "parallel/link_speed.hpp"

#include <gtest/gtest.h>

#include "parallel/numbers.hpp"

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

TEST(LinkSpeed, TheSlowestIsTheSameOnAllRanksAndCostsTheProcessorSomething) {
  const Communicator all = Communicator::world().duplicate();
  const Link link = slowest_link(all);
  for (const Link& other : value_of_each(all, link)) {
    EXPECT_EQ(other.latency_ns, link.latency_ns);
    EXPECT_EQ(other.ns_per_byte, link.ns_per_byte);
    EXPECT_EQ(other.cpu_ns_per_byte, link.cpu_ns_per_byte);
  }
  if (all.size() == 1) {
    EXPECT_EQ(link.latency_ns, 0.0);
  } else {
    EXPECT_GT(link.latency_ns, 0.0);
    EXPECT_GT(link.cpu_ns_per_byte, 0.0);
    EXPECT_LT(link.cpu_ns_per_byte, 1000.0);
  }
}

}  // namespace
}  // namespace edgelab::parallel
