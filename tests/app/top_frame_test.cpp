#include "app/top_frame.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "results/text/width.hpp"

namespace edgelab::app {
namespace {

using results::Look;
using testing::HasSubstr;
using testing::Not;

constexpr std::size_t kTall = 1000;

// Two jobs run, one of them trains; 3 wait; 3 have ended.
BatchMoment busy() {
  BatchMoment moment;
  moment.name = "night-4711";
  moment.host = "pi1";
  moment.running_ns = 751'000'000'000;
  moment.view.jobs = 8;
  moment.view.done = moment.view.failed = moment.view.skipped = 1;
  moment.view.running = 2;
  moment.view.waiting = 3;
  moment.view.ranks = 4;
  moment.view.free_ranks = 1;
  moment.view.drained = {"pi4"};
  moment.view.rows = {
      {"head[lr=0.1]",
       "running",
       2,
       2,
       "pi1 pi2",
       190'000'000'000,
       0.47,
       "epoch 3/20, step 17/79: loss 0.532",
       {2.3, 1.1, 0.532},
       {790, 812},
       200'000'000'000},
      {"speed", "running", 1, 1, "pi3", 4'000'000'000, 0.5, "measuring", {}, {182.4}, 4'000'000'000},
      {"a", "waiting", 0, 1, "", 0, 0, "for 1 rank"},
      {"b-with-a-long-name", "waiting", 0, 4, "", 0, 0, "needs head[lr=0.1], speed and others that take their time"},
      {"c", "waiting", 0, 1, "", 0, 0, "for 1 rank"},
  };
  moment.ended = {{"first", results::Status::done, "done, top1 0.9450, p50 6.10 ms"},
                  {"second", results::Status::failed, "failed: größer als erlaubt, and a reason that goes on and on"},
                  {"third", results::Status::skipped, "skipped: second failed"}};
  return moment;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::string frame(int width, std::size_t rows = kTall, bool colour = false) {
  return top_frame(busy(), {width, colour}, rows);
}

TEST(TopFrame, TellsOfEachJobWhatItDoesOrWaitsForOrHowItEnded) {
  const std::string text = frame(120);
  for (const char* part :
       {"night-4711 on pi1, 0:12:31", "3 of 8 jobs   2 running   3 waiting   1 failed   1 skipped   1 of 4 ranks free",
        "drained: pi4", "head[lr=0.1]  2 ranks on pi1 pi2, attempt 2", " 47 %   0:03:10   about 3 min 20 s left",
        "loss 0.5320 █▃▁   samples/s 812.0 ▁█", "epoch 3/20, step 17/79: loss 0.532", "speed  1 rank on pi3",
        "samples/s 182.4 ▄", "a                   for 1 rank",
        "third  skipped: second failed\n  second  failed: größer", "first  done, top1 0.9450"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
}

TEST(TopFrame, NoLineIsWiderThanTheTerminalAndNothingIsLostButWords) {
  for (const int width : {10, 24, 40, 80, 200}) {
    const std::string text = frame(width);
    for (const std::string& line : lines_of(text))
      EXPECT_LE(results::width_of(line), static_cast<std::size_t>(width)) << line;
    EXPECT_THAT(text, HasSubstr("speed"));
  }
  EXPECT_THAT(frame(40), HasSubstr("about 3 min 20 s left"));
  EXPECT_THAT(frame(40), HasSubstr("loss 0.5320 █▃▁"));
}

TEST(TopFrame, AShortScreenKeepsTheRunningJobsAndCountsTheRest) {
  for (const std::size_t rows : {1u, 4u, 7u, 10u, 13u, 16u, 24u}) {
    const std::string text = frame(80, rows);
    EXPECT_LE(lines_of(text).size(), rows);
    if (rows >= 5) {
      EXPECT_THAT(text, HasSubstr("head[lr=0.1]"));
      EXPECT_THAT(text, HasSubstr("47 %"));
    }
  }
  EXPECT_THAT(frame(80, 12), HasSubstr("more"));
  EXPECT_THAT(frame(80, 12), HasSubstr("before"));
}

TEST(TopFrame, ColoursAreAskedForAndChangeNoText) {
  EXPECT_THAT(frame(80), Not(HasSubstr("\033")));
  std::string coloured = frame(80, kTall, true);
  EXPECT_THAT(coloured, HasSubstr("\033["));
  for (std::size_t at; (at = coloured.find('\033')) != std::string::npos;)
    coloured.erase(at, coloured.find('m', at) + 1 - at);
  EXPECT_EQ(coloured, frame(80));
}

TEST(TopFrame, NamesCantSteerTheTerminal) {
  BatchMoment moment = busy();
  moment.view.rows[0].text = "\033[2Jgone";
  moment.ended[0].id = "\a\033]0;title";
  EXPECT_THAT(top_frame(moment, {80, false}, kTall), Not(HasSubstr("\033")));
}

TEST(TopFrame, ABatchThatIsOverHasNoFreeRanks) {
  BatchMoment moment = busy();
  moment.view.rows.clear();
  moment.view.running = moment.view.waiting = 0;
  moment.over = true;
  moment.standing = "it has ended, with every job";
  const std::string text = top_frame(moment, {80, false}, kTall);
  EXPECT_THAT(text, HasSubstr("it has ended, with every job\n"));
  EXPECT_THAT(text, Not(HasSubstr("free")));
  EXPECT_THAT(text, Not(HasSubstr("waiting")));
}

}  // namespace
}  // namespace edgelab::app
