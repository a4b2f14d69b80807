#include "runtime/measure.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

namespace edgelab::runtime {
namespace {

using namespace std::chrono_literals;

// A way that takes at least that long, and counts its calls.
Trial taking(std::chrono::milliseconds time, int& calls) {
  return [time, &calls] {
    ++calls;
    std::this_thread::sleep_for(time);
  };
}

TEST(LeastTimes, OfLongCallsComeFromTwoOfEachBehindOneThatDoesNotCount) {
  int first = 0, second = 0;
  const auto times = least_times({taking(60ms, first), taking(60ms, second)});
  EXPECT_EQ(first, 3);
  EXPECT_EQ(second, 3);
  for (const std::int64_t ns : times) EXPECT_GE(ns, 60'000'000);
}

TEST(LeastTimes, CallNoMoreWhatIsFarBehindAfterTwoRounds) {
  int fast = 0, slow = 0;
  const auto times = least_times({taking(0ms, fast), taking(20ms, slow)});
  EXPECT_EQ(slow, 3);
  EXPECT_GT(fast, slow);
  EXPECT_LT(times[0], times[1]);
}

}  // namespace
}  // namespace edgelab::runtime
