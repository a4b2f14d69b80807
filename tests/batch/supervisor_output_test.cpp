// What comes from mpirun's stderr: the guards' reports out of it, its own paragraphs aside, the ranks' output at once.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <fstream>

#include "batch/supervisor/last_words.hpp"
#include "batch/supervisor/output_filter.hpp"
#include "batch/supervisor/rank_end_log.hpp"
#include "support/temporary_directory.hpp"

namespace edgelab::batch {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

RankEnd sample_end() { return {2, "pi3", SIGSEGV, 0, OutOfMemory::unknown, true, {"a \"quoted\" word", "\xff\n"}}; }

TEST(Report, IsReadAsItWasWritten) {
  RankEnd end = sample_end();
  end.last_words = {"a \"quoted\" word", "ü"};
  for (const OutOfMemory memory : {OutOfMemory::no, OutOfMemory::yes, OutOfMemory::unknown}) {
    end.out_of_memory = memory;
    const std::string line = report_line(end, "m1");
    ASSERT_TRUE(line.starts_with("edgelab-guard m1 "));
    EXPECT_EQ(read_report(line.substr(17)), end);
  }
}

TEST(Report, IsOneLineThatFitsIntoOnePieceWhateverTheRankPrinted) {
  RankEnd end = sample_end();
  end.last_words.assign(20, std::string(200, '\x01'));  // six characters each in JSON
  end.last_words.back() = "the end";
  const std::string line = report_line(end, "m1");
  EXPECT_LT(line.size(), kMostReportBytes);
  EXPECT_EQ(line.find('\n'), std::string::npos);
  EXPECT_EQ(read_report(line.substr(17))->last_words.back(), "the end");
}

TEST(Report, WhatIsNoneIsNotRead) {
  for (const char* text : {"", "{", "{}", "[]", R"({"rank":"x"})", "null"}) EXPECT_FALSE(read_report(text)) << text;
}

TEST(RankEndLog, IsReadByRankWhileItIsWritten) {
  const test::TemporaryDirectory folder;
  const RankEndLog log(folder / "");
  EXPECT_FALSE(log.find(2)) << "there is no file yet";
  log.clear();
  RankEnd end = sample_end();
  end.last_words = {"a \"quoted\" word", "ü"};
  log.append({1, "pi3", 0, 7, OutOfMemory::no, false, {}});
  EXPECT_FALSE(log.find(2));
  log.append(end);
  EXPECT_EQ(log.find(2), end);
  EXPECT_EQ(log.find(1)->code, 7);
  std::ofstream(log.file(), std::ios::app) << report_line({3, "pi4", SIGKILL, 0, OutOfMemory::no, false, {}}, "log");
  EXPECT_FALSE(log.find(3)) << "its line has no end yet";
  log.clear();
  EXPECT_FALSE(log.find(2)) << "ranks of another start";
}

TEST(RankEnd, IsToldWithAndWithoutItsName) {
  RankEnd end{2, "pi3", 0, 7, OutOfMemory::no, false, {"what(): no", "bye"}};
  EXPECT_EQ(text_of(end), "rank 2 on pi3 ended with exit code 7");
  EXPECT_EQ(how_it_ended(end) + last_words_of(end), "ended with exit code 7; its last words: what(): no | bye");
  end.last_words.clear();
  EXPECT_EQ(last_words_of(end), "");
}

class Filter : public testing::Test {
 protected:
  static std::string dashes() { return std::string(74, '-') + "\n"; }
  static std::string report() { return report_line(sample_end(), "m1") + "\n"; }
  OutputFilter filter_{"m1"};
};

TEST_F(Filter, TakesReportsOutAndLeavesTheRest) {
  EXPECT_EQ(filter_.take("one\n" + report() + "two\n"), "one\ntwo\n");
  ASSERT_THAT(filter_.ends(), SizeIs(1));
  EXPECT_EQ(filter_.ends()[0].rank, 2);
}

TEST_F(Filter, GivesTheSameHoweverTheStreamIsCut) {
  const std::string stream = "one\n" + dashes() + "mpirun says\n" + dashes() + "half" + report() + " a line\n----\n" + report() + "last";
  for (std::size_t cut = 1; cut < 40; ++cut) {
    OutputFilter filter("m1");
    std::string passed;
    for (std::size_t at = 0; at < stream.size(); at += cut) passed += filter.take(stream.substr(at, cut));
    passed += filter.finish();
    EXPECT_EQ(passed, "one\nhalf a line\n----\nlast") << cut;
    EXPECT_THAT(filter.ends(), SizeIs(2)) << cut;
    EXPECT_EQ(filter.paragraphs(), dashes() + "mpirun says\n" + dashes()) << cut;
  }
}

TEST_F(Filter, PassesAnUnfinishedLineOnAtOnceSinceAProgressBarIsOne) {
  EXPECT_EQ(filter_.take("\r\033[K3 of 5 jobs"), "\r\033[K3 of 5 jobs");
  EXPECT_EQ(filter_.take("\r\033[K4 of 5 jobs ed"), "\r\033[K4 of 5 jobs ") << "what may become a report waits";
  EXPECT_EQ(filter_.take("ge"), "");
  EXPECT_EQ(filter_.take("s\n"), "edges\n");
}

TEST_F(Filter, AReportWithAnotherMarkIsOutputOfARank) {
  const std::string forged = report_line(sample_end(), "guess") + "\n";
  EXPECT_EQ(filter_.take(forged), forged);
  EXPECT_THAT(filter_.ends(), IsEmpty());
}

TEST_F(Filter, AReportThatCannotBeReadIsShown) { EXPECT_EQ(filter_.take("edgelab-guard m1 {torn\n"), "edgelab-guard m1 {torn\n"); }

TEST_F(Filter, AParagraphThatNeverEndsIsShownInTheEnd) {
  EXPECT_EQ(filter_.take(dashes() + "mpirun says\n"), "");
  EXPECT_THAT(filter_.finish(), HasSubstr("mpirun says"));
}

TEST_F(Filter, DoesNotHoldBackMoreThanAParagraphMayHave) {
  std::string passed = filter_.take(dashes());
  for (int i = 0; i < 2000; ++i) passed += filter_.take("a rank that draws a line and writes below it\n");
  EXPECT_THAT(passed, HasSubstr("a rank that draws"));
}

TEST(LastWordsOfARank, AreTheLastTwentyLinesWithoutTheProgressDisplay) {
  LastWords words;
  for (int i = 0; i < 30; ++i) words.add("line " + std::to_string(i) + "\n[   1.5 s] job: started\n\r\033[K1 of 2 jobs\n");
  words.add("[1] not the display\nunfini");
  words.add("shed");
  const std::vector<std::string> lines = words.lines();
  ASSERT_THAT(lines, SizeIs(20));
  EXPECT_EQ(lines[19], "unfinished");
  EXPECT_EQ(lines[18], "[1] not the display");
  EXPECT_EQ(lines[17], "line 29");
}

}  // namespace
}  // namespace edgelab::batch
