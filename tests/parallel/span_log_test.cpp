#include "parallel/span_log.hpp"

#include <gtest/gtest.h>

namespace edgelab::parallel {
namespace {

using Kind = Span::Kind;

TEST(SpanLog, KeepsNothingUntilItIsTold) {
  SpanLog log;
  log.at(0);
  log.add(Kind::wait, 1, 2);
  EXPECT_TRUE(log.spans().empty());
  log.record(10);
  log.at(0);
  log.add(Kind::wait, 3, 4);
  EXPECT_EQ(log.spans(), (std::vector<Span>{{Kind::wait, 0, 3, 4}}));
}

TEST(SpanLog, TakesMessagesOutOfTheComputationAroundThem) {
  SpanLog log;
  log.record(10);
  log.number_from(100);
  log.at(1);
  log.begin_compute(10);
  log.add(Kind::send, 20, 25);
  log.add(Kind::wait, 25, 40);
  log.end_compute(50);
  log.add(Kind::send, 50, 51);
  EXPECT_EQ(log.spans(), (std::vector<Span>{{Kind::compute, 101, 10, 20},
                                            {Kind::send, 101, 20, 25},
                                            {Kind::wait, 101, 25, 40},
                                            {Kind::compute, 101, 40, 50},
                                            {Kind::send, 101, 50, 51}}));
}

TEST(SpanLog, SaysUpToWhichMicroBatchItIsWhole) {
  SpanLog log;
  log.record(3);
  for (int index = 0; index < 5; ++index) {
    log.at(index);
    log.add(Kind::wait, 10 * index, 10 * index + 1);
    log.add(Kind::send, 10 * index + 1, 10 * index + 2);
  }
  EXPECT_EQ(log.spans().size(), 3u);
  EXPECT_EQ(log.whole_until(), 1);
  log.record(100);
  log.at(4);
  EXPECT_EQ(log.whole_until(), 5);
}

TEST(SpanLog, LeavesOutWhatTookNoTime) {
  SpanLog log;
  log.record(3);
  log.at(0);
  log.add(Kind::wait, 5, 5);
  EXPECT_TRUE(log.spans().empty());
}

}  // namespace
}  // namespace edgelab::parallel
