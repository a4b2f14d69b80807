#include "parallel/host_layout.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace edgelab::parallel {
namespace {

using testing::ElementsAre;

TEST(HostLayout, NumbersHostsByTheirLowestRank) {
  const std::vector<HostIdentity> ranks = {{"b", "1"}, {"a", "2"}, {"b", "1"}, {"a", "2"}};
  const HostLayout layout = layout_of(ranks);
  EXPECT_THAT(layout.host_of_rank, ElementsAre(0, 1, 0, 1));
  EXPECT_THAT(layout.names, ElementsAre("b", "a"));
  EXPECT_THAT(layout.ranks_on(1), ElementsAre(1, 3));
  EXPECT_EQ(layout.index_on_host(2), 1);
  EXPECT_EQ(layout.count_on_host(2), 2);
}

TEST(HostLayout, TellsTwoMachinesOfOneNameApart) {
  const std::vector<HostIdentity> ranks = {{"raspberrypi", "boot 1"}, {"raspberrypi", "boot 2"}};
  EXPECT_EQ(layout_of(ranks).hosts(), 2);
}

TEST(HostLayout, TellsNamespacesOfOneKernelApart) {
  const std::vector<HostIdentity> ranks = {{"pi1", "boot"}, {"pi2", "boot"}};
  EXPECT_EQ(layout_of(ranks).hosts(), 2);
}

}  // namespace
}  // namespace edgelab::parallel
