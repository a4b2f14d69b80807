#include "tasks/scores.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace edgelab::tasks {
namespace {

TEST(Scores, ThePredictionIsTheFirstOfTheHighestLogits) {
  const std::vector<float> logits = {1, 3, 3, 2};
  EXPECT_EQ(predicted_class(logits), 1);
}

TEST(Scores, CountsTopOneAndTopFive) {
  // Six classes; the label's logit is the highest, the fifth highest, and the lowest.
  const std::vector<float> logits = {9, 1, 2, 3, 4, 5, 9, 8, 7, 6, 5, 4, 9, 8, 7, 6, 5, 4};
  const std::vector<std::int32_t> labels = {0, 4, 5};
  results::Summary summary;
  score(logits, 6, labels, summary);
  EXPECT_DOUBLE_EQ(*summary.top1, 1.0 / 3);
  EXPECT_DOUBLE_EQ(*summary.top5, 2.0 / 3);
}

TEST(Scores, EqualLogitsOfAllClassesGiveTheChanceLossAndNoTop5OfFiveClasses) {
  const std::vector<float> logits(5, 0.25f);
  results::Summary summary;
  score(logits, 5, std::vector<std::int32_t>{3}, summary);
  EXPECT_NEAR(*summary.loss, std::log(5.0), 1e-12);
  EXPECT_DOUBLE_EQ(*summary.top1, 0.0);  // the first of equals is predicted
  EXPECT_FALSE(summary.top5.has_value());
}

TEST(Scores, LargeLogitsDoNotOverflowTheLoss) {
  const std::vector<float> logits = {1000, -1000};
  results::Summary summary;
  score(logits, 2, std::vector<std::int32_t>{1}, summary);
  EXPECT_NEAR(*summary.loss, 2000.0, 1e-6);
}

TEST(Scores, WithoutLabelsNothingIsClaimed) {
  results::Summary summary;
  score(std::vector<float>{1, 2}, 2, {}, summary);
  score(std::vector<float>{1, 2}, 2, std::vector<std::int32_t>{-1}, summary);
  EXPECT_FALSE(summary.top1.has_value());
  EXPECT_FALSE(summary.loss.has_value());
}

}  // namespace
}  // namespace edgelab::tasks
