#include "search/parzen.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "search/trial_log.hpp"
#include "support/temporary_directory.hpp"

namespace edgelab::search {
namespace {

const std::vector<Dimension> kSpace = {{"kind", {"a", "b", "c", "d"}}, {"x", {}, -4.0, 4.0}, {"rate", {}, 1e-5, 1e-1, true}};

// Best at kind c, x = 1, rate = 1e-3.
double worth_of(const std::vector<double>& point) {
  return (point[0] == 2.0 ? 1.0 : 0.0) - 0.1 * std::pow(point[1] - 1.0, 2) - 0.2 * std::pow(std::log10(point[2]) + 3.0, 2);
}

double best_of_search(std::uint64_t seed, int trials, const ParzenSettings& settings) {
  std::vector<Trial> done;
  double best = -HUGE_VAL;
  for (int i = 0; i < trials; ++i) {
    const std::vector<double> point = next_point(kSpace, done, seed, i, settings);
    best = std::max(best, worth_of(point));
    done.push_back({point, worth_of(point)});
  }
  return best;
}

TEST(Parzen, PointsLieInTheSpaceAndFollowFromTheSeed) {
  std::vector<Trial> done;
  for (int i = 0; i < 60; ++i) {
    const std::vector<double> point = next_point(kSpace, done, 1, i);
    EXPECT_EQ(point, next_point(kSpace, done, 1, i));
    ASSERT_EQ(point.size(), 3u);
    EXPECT_TRUE(point[0] >= 0 && point[0] <= 3 && point[0] == std::floor(point[0]));
    EXPECT_TRUE(point[1] >= -4.0 && point[1] <= 4.0);
    EXPECT_TRUE(point[2] >= 0.99e-5 && point[2] <= 1.01e-1);
    done.push_back({point, i % 7 == 0 ? std::nan("") : worth_of(point)});
  }
  EXPECT_NE(next_point(kSpace, {}, 1, 0), next_point(kSpace, {}, 2, 0));
  EXPECT_NE(next_point(kSpace, {}, 1, 0), next_point(kSpace, {}, 1, 1));
}

TEST(Parzen, FindsMoreThanChanceDoes) {
  double found = 0.0, chance = 0.0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    found += best_of_search(seed, 40, {}) / 20;
    chance += best_of_search(seed, 40, {1000, 0.25, 32}) / 20;
  }
  EXPECT_GT(found, chance + 0.05);
  EXPECT_GT(found, 0.85);  // 1 is best
}

TEST(Parzen, DoesNotTryTheSameTwiceWhileThereIsMore) {
  const std::vector<Dimension> space = {{"one", {"a", "b", "c"}}, {"two", {"a", "b", "c"}}};
  std::vector<Trial> done;
  for (int i = 0; i < 9; ++i) {
    std::vector<double> point = {static_cast<double>(i / 3), static_cast<double>(i % 3)};
    if (i != 4) done.push_back({point, i < 4 ? 1.0 : 0.0});
  }
  EXPECT_EQ(next_point(space, done, 3, 8, {1, 0.25, 200}), (std::vector<double>{1, 1}));
}

TEST(Parzen, APointIsSaidInWords) { EXPECT_EQ(text_of(kSpace, {2.0, 0.5, 1e-3}), "kind c, x 0.5, rate 0.001"); }

TEST(TrialLog, OutlivesItsProgramAndKnowsItsSearch) {
  const test::TemporaryDirectory folder;
  const LoggedTrial trials[] = {{0, {1.0, 0.1}, 0.5, 1.25, 1000, 17}, {1, {2.0, 1e-7}, std::nan(""), std::nan(""), 0, 3}};
  {
    TrialLog log(folder.path() / "job", "search one");
    for (const LoggedTrial& trial : trials) log.add(trial);
  }
  {
    TrialLog log(folder.path() / "job", "search one");
    ASSERT_EQ(log.trials().size(), 2u);
    EXPECT_EQ(log.trials()[0].point, trials[0].point);
    EXPECT_EQ(log.trials()[0].loss, 1.25);
    EXPECT_EQ(log.trials()[1].point[1], 1e-7);
    EXPECT_TRUE(std::isnan(log.trials()[1].top1));
    EXPECT_EQ(log.trials()[0].bytes, 1000);
    EXPECT_FALSE(log.finished());
    log.finish();
  }
  {
    const TrialLog log(folder.path() / "job", "search one");
    EXPECT_TRUE(log.finished());
    EXPECT_EQ(log.trials().size(), 2u);
  }
  const TrialLog other(folder.path() / "job", "search two");
  EXPECT_TRUE(other.trials().empty());
  EXPECT_FALSE(other.finished());
}

}  // namespace
}  // namespace edgelab::search
