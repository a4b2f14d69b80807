#include "results/journal_tail.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "results/journal.hpp"
#include "support/temporary_directory.hpp"

namespace edgelab::results {
namespace {

std::vector<std::string> types_of(const JournalTail::News& news) {
  std::vector<std::string> types;
  for (const Fact& fact : news.facts) types.push_back(fact.type);
  return types;
}

using Types = std::vector<std::string>;

class JournalTailTest : public testing::Test {
 protected:
  void append(const std::string& bytes) const { std::ofstream(path_, std::ios::app | std::ios::binary) << bytes; }

  test::TemporaryDirectory folder_;
  std::filesystem::path path_ = folder_ / "r.journal";
  JournalTail tail_{path_};
};

TEST_F(JournalTailTest, EachLineIsToldOnceWhenItIsWhole) {
  EXPECT_TRUE(tail_.look().facts.empty()) << "there is no file yet";
  const std::string second = journal_line("b", "{}", std::nullopt);
  append(journal_line("a", "{}", std::nullopt) + second.substr(0, 30));
  EXPECT_EQ(types_of(tail_.look()), Types{"a"});
  EXPECT_TRUE(tail_.look().facts.empty());
  append(second.substr(30));
  const JournalTail::News news = tail_.look();
  EXPECT_EQ(types_of(news), Types{"b"});
  EXPECT_FALSE(news.anew);
}

TEST_F(JournalTailTest, FollowsALiveWriterWithoutStandingInItsWay) {
  Journal journal = Journal::create(path_);
  journal.append("header", R"({"x":1})");
  EXPECT_EQ(types_of(tail_.look()), Types{"header"});
  EXPECT_TRUE(is_written(path_));
  journal.append("job", "{}", Durability::later);
  EXPECT_EQ(types_of(tail_.look()), Types{"job"});
}

TEST_F(JournalTailTest, ATornEndThatIsCutOffAndWrittenOverIsNoLoss) {
  append(journal_line("a", "{}", std::nullopt) + R"({"sha256":"torn)");
  EXPECT_EQ(types_of(tail_.look()), Types{"a"});
  EXPECT_FALSE(is_written(path_));
  Journal journal = Journal::append_to(path_);
  journal.append("b", "{}");
  EXPECT_EQ(types_of(tail_.look()), Types{"b"});
}

TEST_F(JournalTailTest, ADamagedLineHidesNoneBehindIt) {
  append(journal_line("a", "{}", std::nullopt) + "no line of a journal\n" + journal_line("b", "{}", std::nullopt));
  EXPECT_EQ(types_of(tail_.look()), (Types{"a", "b"}));
}

TEST_F(JournalTailTest, AnotherFileOfTheNameIsToldFromItsBeginning) {
  append(journal_line("a", "{}", std::nullopt));
  tail_.look();
  keep_as_old(path_);
  EXPECT_TRUE(tail_.look().facts.empty());
  append(journal_line("c", "{}", std::nullopt) + journal_line("d", "{}", std::nullopt));
  const JournalTail::News news = tail_.look();
  EXPECT_TRUE(news.anew);
  EXPECT_EQ(types_of(news), (Types{"c", "d"}));
}

}  // namespace
}  // namespace edgelab::results
