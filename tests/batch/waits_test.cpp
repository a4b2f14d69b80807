#include "batch/control/waits.hpp"

#include <gtest/gtest.h>

namespace edgelab::batch {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

std::string words(const std::vector<MemberWait>& waits, std::size_t members = 5) {
  return words_on_waits(waits, members, 60 * kSecond, [](int rank) { return "rank " + std::to_string(rank); });
}

TEST(Waits, OfTwoForEachOtherNameTheLink) {
  // A pipeline of four whose third rank hears nothing of the second any more: the others wait behind them.
  EXPECT_EQ(words({{0, 3, 58 * kSecond}, {1, 2, 57 * kSecond}, {2, 1, 56 * kSecond}, {3, 2, 55 * kSecond}}),
            "; rank 1 and rank 2 waited 56.0 s for each other: is the link between them up?");
}

TEST(Waits, ForOneThatDoesNotWaitNameItLongestFirstAndNoMoreThanThree) {
  EXPECT_EQ(words({{1, 0, 20 * kSecond}, {2, CancelToken::kEverybody, 40 * kSecond}, {3, 0, 30 * kSecond}, {4, 0, 15 * kSecond}}),
            "; rank 2 waited 40.0 s for the other ranks; rank 3 waited 30.0 s for rank 0; rank 1 waited 20.0 s for rank 0");
}

TEST(Waits, OfAllForAllNameNobodyAndAskForALink) {
  const std::vector<MemberWait> all = {{0, CancelToken::kEverybody, 40 * kSecond}, {1, CancelToken::kEverybody, 39 * kSecond}, {2, CancelToken::kEverybody, 41 * kSecond}};
  EXPECT_EQ(words(all, 3), "; all 3 ranks waited 39.0 s for each other: is a link between two of them down? edgelab doctor --links asks each");
  // A fourth does not wait: it is who all wait for.
  EXPECT_EQ(words(all, 4), "; rank 2 waited 41.0 s for the other ranks; rank 0 waited 40.0 s for the other ranks; rank 1 waited 39.0 s for the other ranks");
}

TEST(Waits, ThatAreShortSayNothing) {
  EXPECT_EQ(words({{0, 1, 11 * kSecond}, {1, 0, 3 * kSecond}}), "");
  EXPECT_EQ(words({}), "");
}

TEST(Waits, AreKeptWholeInTheToken) {
  const CancelToken token;
  EXPECT_FALSE(token.wait());
  token.waits({7, 123'456'789'012});
  ASSERT_TRUE(token.wait());
  EXPECT_EQ(token.wait()->peer, 7);
  EXPECT_EQ(token.wait()->since_ms, 123'456'789'012);
  token.waits({CancelToken::kEverybody, 5});
  EXPECT_EQ(token.wait()->peer, CancelToken::kEverybody);
  token.waits_no_longer();
  EXPECT_FALSE(token.wait());
}

}  // namespace
}  // namespace edgelab::batch
