// How queries arrive and are answered, on a made-up clock.
#include "tasks/scenario/queries.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "tasks/made_up_model.hpp"
#include "tasks/scenario/rate_search.hpp"

namespace edgelab::tasks {
namespace {

using test::MadeUpModel;
using testing::ElementsAre;

constexpr std::int64_t kMs = 1'000'000, kSecond = 1'000'000'000;
const Told kNobody = [](std::int64_t, std::int64_t) {};

double mean_of(const std::vector<std::int64_t>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

TEST(Queries, OneByOneEndWhenThereAreEnoughAndItTookLongEnough) {
  MadeUpModel model(10 * kMs);
  const auto asked = [&](Extent extent) {
    return ask_one_by_one(model.subject(), 1, extent, {1, 100}, model.timer(), kNobody);
  };
  const QueryLog by_count = asked({7, 20 * kMs, kSecond});
  EXPECT_EQ(by_count.latency_ns, std::vector<std::int64_t>(7, 10 * kMs));
  EXPECT_EQ(by_count.duration_ns, 70 * kMs);
  EXPECT_EQ(asked({7, 95 * kMs, kSecond}).latency_ns.size(), 10u);
  EXPECT_EQ(asked({700, 0, 50 * kMs}).latency_ns.size(), 5u);  // too few, but it may take no longer
}

TEST(Queries, OfManySamplesTakeAsManyCallsAsTheyNeed) {
  MadeUpModel model(10 * kMs, 3);
  const QueryLog log = ask_one_by_one(model.subject(), 8, {2, 0, kSecond}, {1, 100}, model.timer(), kNobody);
  EXPECT_THAT(log.latency_ns, ElementsAre(30 * kMs, 30 * kMs));
  EXPECT_THAT(model.asked(), ElementsAre(3, 3, 2, 3, 3, 2));
  EXPECT_EQ(log.samples, 16);
}

TEST(Queries, AllAtOnceGoInFullCalls) {
  MadeUpModel model(10 * kMs, 4);
  const QueryLog log = ask_at_once(model.subject(), {10, 0, kSecond}, {1, 100}, model.timer(), kNobody);
  EXPECT_THAT(model.asked(), ElementsAre(4, 4, 4));
  EXPECT_EQ(log.samples, 12);
  EXPECT_EQ(log.duration_ns, 30 * kMs);
  EXPECT_TRUE(log.latency_ns.empty());
}

TEST(Queries, AskForSamplesThatASeedDraws) {
  const auto drawn = [](std::uint64_t seed) {
    std::vector<std::int64_t> samples(1000);
    SampleDraw(seed, 10).fill(samples);
    return samples;
  };
  EXPECT_EQ(drawn(1), drawn(1));
  EXPECT_NE(drawn(1), drawn(2));
  const std::vector<std::int64_t> samples = drawn(1);
  EXPECT_EQ(*std::min_element(samples.begin(), samples.end()), 0);
  EXPECT_EQ(*std::max_element(samples.begin(), samples.end()), 9);
}

TEST(PoissonArrivals, HaveTheRateAndTheSpreadOfTheirProcess) {
  constexpr std::int64_t kCount = 200'000;
  const std::vector<std::int64_t> arrivals = poisson_arrivals(250, kCount, 11);
  EXPECT_EQ(arrivals, poisson_arrivals(250, kCount, 11));
  EXPECT_NE(arrivals, poisson_arrivals(250, kCount, 12));
  EXPECT_TRUE(std::is_sorted(arrivals.begin(), arrivals.end()));
  // Gaps are exponential: mean and standard deviation are 4 ms, and a share 1 / e is longer than that.
  double squares = 0;
  int longer = 0;
  for (std::size_t i = 1; i < arrivals.size(); ++i) {
    const auto gap = static_cast<double>(arrivals[i] - arrivals[i - 1]);
    squares += gap * gap;
    if (gap > 4.0 * kMs) ++longer;
  }
  const double off = 4 / std::sqrt(static_cast<double>(kCount));  // four standard errors
  EXPECT_NEAR(static_cast<double>(arrivals.back()) / kCount / (4.0 * kMs), 1, off);
  EXPECT_NEAR(squares / kCount / (32.0 * kMs * kMs), 1, 3 * off);
  EXPECT_NEAR(static_cast<double>(longer) / kCount, std::exp(-1.0), off);
}

TEST(Server, AnswersFirstComeFirstServedAndCountsTheWait) {
  MadeUpModel model(10 * kMs);
  const std::vector<std::int64_t> arrivals = {5 * kMs, 6 * kMs, 40 * kMs};
  const QueryLog log = ask_on_arrival(model.subject(), arrivals, {}, {1, 100}, model.timer(), kNobody);
  EXPECT_THAT(log.latency_ns, ElementsAre(10 * kMs, 19 * kMs, 10 * kMs));
  EXPECT_EQ(log.duration_ns, 45 * kMs);
}

TEST(Server, TakesAllThatWaitIntoOneCallUpToTheBatch) {
  MadeUpModel model(10 * kMs, 3);
  const std::vector<std::int64_t> arrivals = {0, 1 * kMs, 2 * kMs, 3 * kMs, 4 * kMs, 100 * kMs};
  const QueryLog log = ask_on_arrival(model.subject(), arrivals, {}, {1, 100}, model.timer(), kNobody);
  EXPECT_THAT(model.asked(), ElementsAre(1, 3, 1, 1));
  EXPECT_THAT(log.latency_ns, ElementsAre(10 * kMs, 19 * kMs, 18 * kMs, 17 * kMs, 26 * kMs, 10 * kMs));
}

TEST(Server, EndsEarlyOnceTooManyQueriesAreLate) {
  MadeUpModel model(10 * kMs);
  std::vector<std::int64_t> arrivals(1000);
  for (std::size_t i = 0; i < arrivals.size(); ++i)
    arrivals[i] = static_cast<std::int64_t>(i) * 5 * kMs;  // twice what it can do
  const QueryLog log =
      ask_on_arrival(model.subject(), arrivals, {kSecond, 30 * kMs, 2}, {1, 100}, model.timer(), kNobody);
  EXPECT_EQ(log.latency_ns.size(), 8u);  // 10, 15, 20, 25, 30 ms, and three that are late
}

TEST(Server, EndsWhenItTakesTooLong) {
  MadeUpModel model(10 * kMs);
  const std::vector<std::int64_t> arrivals(1000, 0);
  EXPECT_EQ(ask_on_arrival(model.subject(), arrivals, {200 * kMs}, {1, 100}, model.timer(), kNobody).latency_ns.size(),
            20u);
}

// With one call at a time of always the same length, arrivals of a Poisson process make an M/D/1 queue. (Pollaczek 1930 and
// Khinchine 1932: the mean wait is utilisation × service / (2 × (1 − utilisation)).)
TEST(Server, WaitsAsLongAsAnMD1Queue) {
  for (const double utilisation : {0.3, 0.5, 0.7, 0.8}) {
    MadeUpModel model(kMs);
    const std::vector<std::int64_t> arrivals = poisson_arrivals(1000 * utilisation, 400'000, 5);
    const QueryLog log = ask_on_arrival(model.subject(), arrivals, {}, {1, 100}, model.timer(), kNobody);
    const double wait = mean_of(log.latency_ns) - kMs;
    EXPECT_NEAR(wait / (utilisation * kMs / (2 * (1 - utilisation))), 1, 0.04) << utilisation;
  }
}

// Of exponential lengths, an M/M/1 queue: the mean wait is utilisation × service / (1 − utilisation).
TEST(Server, WaitsAsLongAsAnMM1Queue) {
  CounterRandom random(3);
  MadeUpModel model(kMs);
  model.lasts([&](std::int64_t) {
    return static_cast<std::int64_t>(-std::log((static_cast<double>(random.next_bits() >> 11) + 0.5) * 0x1p-53) * kMs);
  });
  const std::vector<std::int64_t> arrivals = poisson_arrivals(600, 400'000, 6);
  const QueryLog log = ask_on_arrival(model.subject(), arrivals, {}, {1, 100}, model.timer(), kNobody);
  EXPECT_NEAR((mean_of(log.latency_ns) - mean_of(log.call_ns)) / (1.5 * kMs), 1, 0.04);
}

TEST(HighestRate, IsFoundToItsTolerance) {
  for (const double limit : {3.0, 40.0, 63.0, 99.0}) {
    int asked = 0;
    const auto found = highest_rate(100, 0.02, [&](double rate) { return ++asked, rate <= limit; });
    ASSERT_TRUE(found) << limit;
    EXPECT_LE(*found, limit);
    EXPECT_GE(*found, limit * 0.97);
    EXPECT_LE(asked, 14);
  }
}

TEST(HighestRate, IsNoneWhereNothingGoesWell) {
  int asked = 0;
  EXPECT_FALSE(highest_rate(100, 0.02, [&](double) { return ++asked, false; }));
  EXPECT_LE(asked, 7);
}

}  // namespace
}  // namespace edgelab::tasks
