#include "batch/control/course.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <numeric>

namespace edgelab::batch {
namespace {

TEST(Trace, KeepsTheMeanHoweverManyValuesItIsGiven) {
  constexpr int kValues = 1 << 14;
  Trace trace;
  for (int i = 0; i < kValues; ++i) trace.add(i);
  const std::vector<double>& points = trace.points();
  EXPECT_LT(points.size(), Trace::kMostPoints);
  EXPECT_GE(points.size(), Trace::kMostPoints / 2);
  EXPECT_DOUBLE_EQ(std::accumulate(points.begin(), points.end(), 0.0) / static_cast<double>(points.size()),
                   (kValues - 1) / 2.0);
  for (std::size_t i = 1; i < points.size(); ++i) EXPECT_DOUBLE_EQ(points[i] - points[i - 1], points[1] - points[0]);
}

TEST(Trace, LeavesOutWhatIsNotFinite) {
  Trace trace;
  trace.add(1);
  trace.add(std::numeric_limits<double>::quiet_NaN());
  trace.add(3);
  EXPECT_EQ(trace.points(), (std::vector<double>{1, 3}));
}

TEST(Course, TimeLeftFollowsTheFractionSinceItLastBeganAnew) {
  Course course;
  EXPECT_EQ(course.left_ns(5), 0) << "nothing has been told";
  course.note({0.2, "calibrating"}, 1'000);
  EXPECT_EQ(course.left_ns(1'000), 0) << "one report says nothing of speed";
  course.note({0.6, "calibrating"}, 1'400);
  EXPECT_EQ(course.left_ns(1'400), 400);
  EXPECT_EQ(course.left_ns(1'500), 300) << "time goes on without a report";
  EXPECT_EQ(course.left_ns(2'000), 0);
  course.note({0.0, "evaluating"}, 2'000);
  course.note({0.5, "evaluating"}, 2'100);
  EXPECT_EQ(course.left_ns(2'100), 100);
  EXPECT_EQ(course.text(), "evaluating");
}

TEST(Course, TheTaskKnowsBetterThanTheFraction) {
  Course course;
  course.note({0.1, "", 2.0, 100.0, 9'000}, 1'000);
  course.note({0.2, "", 1.0, {}, 7'000}, 2'000);
  EXPECT_EQ(course.left_ns(2'500), 6'500);
  EXPECT_EQ(course.losses().points(), (std::vector<double>{2, 1}));
  EXPECT_EQ(course.rates().points(), std::vector<double>{100});
}

}  // namespace
}  // namespace edgelab::batch
