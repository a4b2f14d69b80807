#include "batch/core_share.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace edgelab::batch {
namespace {

using testing::ElementsAre;

TEST(CoreShare, DividesTheCoresOfAHostInContiguousPieces) {
  const std::vector<int> cores = {0, 1, 2, 3, 8};
  EXPECT_THAT(core_share(cores, 0, 2), ElementsAre(0, 1, 2));
  EXPECT_THAT(core_share(cores, 1, 2), ElementsAre(3, 8));
  EXPECT_THAT(core_share(cores, 0, 1), ElementsAre(0, 1, 2, 3, 8));
}

TEST(CoreShare, GivesEveryRankACoreWhereRanksOutnumberCores) {
  const std::vector<int> cores = {4, 5};
  EXPECT_THAT(core_share(cores, 0, 3), ElementsAre(4));
  EXPECT_THAT(core_share(cores, 1, 3), ElementsAre(5));
  EXPECT_THAT(core_share(cores, 2, 3), ElementsAre(4));
}

TEST(CoreShare, AJobThatAsksForMoreThreadsThanItsShareMayUseEveryCore) {
  const std::vector<int> cores = {0, 1, 2, 3};
  EXPECT_THAT(cores_of_job(cores, 1, 2, 2), ElementsAre(2, 3));
  EXPECT_THAT(cores_of_job(cores, 1, 2, 3), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(cores_of_job(cores, 1, 2, std::nullopt), ElementsAre(2, 3));
}

}  // namespace
}  // namespace edgelab::batch
