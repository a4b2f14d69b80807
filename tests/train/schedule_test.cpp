#include "train/schedule.hpp"

#include <gtest/gtest.h>

#include "train/golden/optimizer_golden.hpp"

namespace edgelab::train {
namespace {

using Curve = ScheduleSettings::Curve;

TEST(Schedule, GivesTheRatesOfTorch) {
  ASSERT_EQ(golden::schedule_cases().size(), 10u);
  for (std::size_t number = 0; number < golden::schedule_cases().size(); ++number) {
    SCOPED_TRACE(testing::Message() << "case " << number);
    const golden::ScheduleCase& golden = golden::schedule_cases()[number];
    ScheduleSettings settings;
    settings.curve = golden.curve;
    settings.learning_rate = golden.learning_rate;
    settings.warmup_epochs = golden.warmup_epochs;
    settings.step_epochs = golden.step_epochs;
    settings.gamma = golden.gamma;
    settings.epochs = golden.epochs;
    settings.steps_per_epoch = golden.steps_per_epoch;
    ASSERT_EQ(std::ssize(golden.rates), settings.epochs * settings.steps_per_epoch);
    for (std::size_t step = 0; step < golden.rates.size(); ++step) {
      const double expected = golden.rates[step];
      EXPECT_NEAR(learning_rate(settings, static_cast<std::int64_t>(step)), expected, 1e-7 * expected + 1e-12) << "step " << step;
    }
  }
}

// A float's value, so that the last digit of a double can't make machines differ.
TEST(Schedule, GivesFloats) {
  const ScheduleSettings settings{.curve = Curve::cosine, .learning_rate = 0.1, .epochs = 3, .steps_per_epoch = 100};
  for (std::int64_t step = 0; step < 300; ++step) {
    const double rate = learning_rate(settings, step);
    EXPECT_EQ(rate, static_cast<double>(static_cast<float>(rate)));
  }
}

TEST(Schedule, WarmsUpToWhereItsCurveBegins) {
  for (const Curve curve : {Curve::constant, Curve::cosine, Curve::step, Curve::one_cycle}) {
    const ScheduleSettings settings{.curve = curve, .learning_rate = 0.5, .warmup_epochs = 1.5, .epochs = 10, .steps_per_epoch = 20};
    const double begin = curve == Curve::one_cycle ? 0.02 : 0.5;
    EXPECT_NEAR(learning_rate(settings, 0), begin / 30.0, 1e-7);
    EXPECT_NEAR(learning_rate(settings, 14), begin / 2.0, 1e-7);
    EXPECT_NEAR(learning_rate(settings, 29), begin, 1e-7);
    EXPECT_NEAR(learning_rate(settings, 30), begin, 1e-7);
  }
}

TEST(Schedule, IsFiniteForTheShortestTrainings) {
  for (const Curve curve : {Curve::constant, Curve::cosine, Curve::step, Curve::one_cycle}) {
    for (std::int64_t steps = 1; steps < 12; ++steps) {
      for (const double warmup : {0.0, 0.5, 1.0, 3.0}) {
        ScheduleSettings settings{.curve = curve, .learning_rate = 0.5, .warmup_epochs = warmup, .epochs = 1};
        settings.steps_per_epoch = steps;
        for (std::int64_t step = 0; step < steps; ++step) {
          const double rate = learning_rate(settings, step);
          EXPECT_TRUE(rate > 0.0 && rate <= 0.5) << rate << " at " << step << " of " << steps;
        }
      }
    }
  }
}

}  // namespace
}  // namespace edgelab::train
