#include "parallel/clock_offset.hpp"

#include <gtest/gtest.h>

namespace edgelab::parallel {
namespace {

TEST(ClockOffset, IsNothingBetweenRanksOfOneMachine) {
  const Communicator all = Communicator::world().duplicate();
  EXPECT_EQ(clock_offset_ns(all), 0);
  all.barrier();
}

}  // namespace
}  // namespace edgelab::parallel
