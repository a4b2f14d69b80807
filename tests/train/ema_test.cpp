#include "train/ema.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/random.hpp"
#include "train/early_stopping.hpp"

namespace edgelab::train {
namespace {

std::vector<models::NamedTensor> some_tensors() {
  std::vector<models::NamedTensor> tensors = {{"a", Tensor(DType::f32, {3, 20000})}, {"b", Tensor(DType::f32, {5})}};
  return tensors;
}

void draw(const std::vector<models::NamedTensor>& tensors, CounterRandom& random) {
  for (const auto& [name, tensor] : tensors) {
    Tensor view = tensor;
    for (float& value : view.as<float>()) value = random.normal();
  }
}

std::vector<std::vector<float>> values_of(const std::vector<models::NamedTensor>& tensors) {
  std::vector<std::vector<float>> all;
  for (const auto& [name, tensor] : tensors) all.emplace_back(tensor.as<float>().begin(), tensor.as<float>().end());
  return all;
}

TEST(MovingAverage, IsTheSumOfItsDefinition) {
  CounterRandom random(1);
  const auto tensors = some_tensors();
  draw(tensors, random);
  std::vector<double> expected;
  for (const auto& each : values_of(tensors)) expected.insert(expected.end(), each.begin(), each.end());
  ThreadTeam team(2);
  MovingAverage average(0.4, tensors, team);
  for (int t = 0; t < 12; ++t) {  // 0.4 is reached at t = 5
    draw(tensors, random);
    average.update();
    const double keep = std::min(0.4, (1.0 + t) / (10.0 + t));
    std::size_t at = 0;
    for (const auto& each : values_of(tensors)) {
      for (const float value : each) {
        expected[at] = keep * expected[at] + (1.0 - keep) * static_cast<double>(value);
        ++at;
      }
    }
  }
  EXPECT_EQ(average.updates(), 12);
  std::size_t at = 0;
  for (const auto& each : values_of(average.averages())) {
    for (const float value : each) ASSERT_NEAR(value, expected[at++], 2e-6);
  }
}

TEST(MovingAverage, GivesTheSameBitsForAnyNumberOfThreads) {
  std::vector<std::vector<std::vector<float>>> results;
  for (const int threads : {1, 2, 3, 5}) {
    CounterRandom random(2);
    const auto tensors = some_tensors();
    ThreadTeam team(threads);
    MovingAverage average(0.99, tensors, team);
    for (int t = 0; t < 3; ++t) {
      draw(tensors, random);
      average.update();
    }
    results.push_back(values_of(average.averages()));
  }
  for (const auto& each : results) EXPECT_TRUE(each == results[0]);
}

TEST(MovingAverage, GoesOnFromItsState) {
  CounterRandom random(3);
  const auto tensors = some_tensors();
  ThreadTeam team(1);
  MovingAverage whole(0.9, tensors, team), first(0.9, tensors, team);
  for (int t = 0; t < 4; ++t) {
    draw(tensors, random);
    whole.update();
    first.update();
  }
  MovingAverage second(0.9, some_tensors(), team);
  second.restore(first.state());
  EXPECT_EQ(second.updates(), 4);
  EXPECT_TRUE(values_of(second.averages()) == values_of(whole.averages()));
  MovingAverage third(0.9, tensors, team);
  third.restore(first.state());
  draw(tensors, random);
  whole.update();
  third.update();
  EXPECT_TRUE(values_of(third.averages()) == values_of(whole.averages()));
}

TEST(EarlyStopping, EndsAfterThatManyEpochsWithoutABetterOne) {
  EarlyStopping stopping(2);
  EXPECT_FALSE(stopping.best().has_value());
  EXPECT_TRUE(stopping.add(0.3));
  EXPECT_FALSE(stopping.add(0.3));
  EXPECT_FALSE(stopping.should_stop());
  EXPECT_TRUE(stopping.add(0.4));
  EXPECT_FALSE(stopping.add(0.2));
  EXPECT_FALSE(stopping.should_stop());
  EXPECT_FALSE(stopping.add(NAN));
  EXPECT_TRUE(stopping.should_stop());
  EXPECT_EQ(stopping.best(), 0.4);
}

}  // namespace
}  // namespace edgelab::train
