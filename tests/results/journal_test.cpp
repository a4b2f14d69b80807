#include "results/journal.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>

#include <chrono>
#include <fstream>
#include <sstream>
#include <thread>

#include "core/error.hpp"
#include "results/json/record_json.hpp"
#include "results/sample_run.hpp"
#include "support/temporary_directory.hpp"
#include "support/tight_disk.hpp"

namespace edgelab::results {
namespace {

using test::TemporaryDirectory;

std::string contents_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void put(const std::filesystem::path& path, const std::string& text) { std::ofstream(path, std::ios::binary) << text; }

std::filesystem::path three_lines(const TemporaryDirectory& folder) {
  const auto path = folder / "k.journal";
  Journal journal = Journal::create(path);
  journal.append("header", frame_json_text(test::sample_run()));
  journal.append("job", to_json_text(test::sample_job("a", 4)));
  journal.append("job", to_json_text(test::sample_job("b", 4)));
  return path;
}

ErrorKind kind_thrown(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.kind();
  }
  ADD_FAILURE() << "nothing was thrown";
  return ErrorKind::usage;
}

TEST(Journal, StandsBesideTheResultsFile) {
  EXPECT_EQ(journal_path_of("d/k.h5"), "d/k.journal");
  EXPECT_EQ(journal_path_of("d/k"), "d/k.journal");
}

TEST(Journal, GivesBackEveryFact) {
  const TemporaryDirectory folder;
  const JournalContent content = read_journal(three_lines(folder));
  ASSERT_EQ(content.facts.size(), 3u);
  EXPECT_EQ(content.note, "");
  const RunRecord run = run_from_facts(content.facts);
  EXPECT_EQ(run.hosts, test::sample_run().hosts);
  ASSERT_EQ(run.jobs.size(), 2u);
  EXPECT_EQ(run.jobs[1], test::sample_job("b", 4));
  EXPECT_FALSE(run.provenance.complete);
}

TEST(Journal, IgnoresALastLineTornAtAnyByteWithANote) {
  const TemporaryDirectory folder;
  const auto path = three_lines(folder);
  const std::string whole = contents_of(path);
  const std::size_t last_line = whole.rfind('\n', whole.size() - 2) + 1;
  for (std::size_t length = last_line; length < whole.size(); ++length) {
    put(path, whole.substr(0, length));
    const JournalContent content = read_journal(path);
    ASSERT_EQ(content.facts.size(), 2u) << length;
    ASSERT_EQ(content.note.empty(), length == last_line) << length;
    ASSERT_EQ(content.sound_bytes, last_line);
  }
}

TEST(Journal, GoesOnBehindATornLine) {
  const TemporaryDirectory folder;
  const auto path = three_lines(folder);
  const std::string whole = contents_of(path);
  put(path, whole.substr(0, whole.size() - 100));
  {
    Journal journal = Journal::append_to(path);
    EXPECT_EQ(journal.take_earlier().facts.size(), 2u);
    journal.append("job", to_json_text(test::sample_job("c", 4)));
  }
  const RunRecord run = run_from_facts(read_journal(path).facts);
  ASSERT_EQ(run.jobs.size(), 2u);
  EXPECT_EQ(run.jobs[1].id, "c");
}

TEST(Journal, NamesTheLineOfAnyFlippedBitInTheMiddle) {
  const TemporaryDirectory folder;
  const auto path = three_lines(folder);
  const std::string whole = contents_of(path);
  const std::size_t second = whole.find('\n') + 1;
  const std::size_t third = whole.find('\n', second) + 1;
  for (std::size_t place = second; place < third; place += 11) {
    std::string damaged = whole;
    damaged[place] = static_cast<char>(damaged[place] ^ (1 << (place % 7)));
    put(path, damaged);
    try {
      read_journal(path);
      FAIL() << "byte " << place << " may flip unnoticed";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::data);
      EXPECT_GE(error.place().line, 2);
      EXPECT_LE(error.place().line, 3);
    }
  }
}

TEST(Journal, OneWhoseHeaderIsTornHoldsNothing) {
  const TemporaryDirectory folder;
  put(folder / "k.journal", "{\"sha256\":\"01");
  const JournalContent content = read_journal(folder / "k.journal");
  EXPECT_TRUE(content.facts.empty());
  EXPECT_NE(content.note, "");
  put(folder / "k.journal", "");
  EXPECT_TRUE(read_journal(folder / "k.journal").facts.empty());
}

TEST(Journal, ALaterRecordOfAJobTakesThePlaceOfTheEarlier) {
  JobRecord first = test::sample_job("a", 4), second = first;
  first.status = Status::failed;
  const RunRecord run = run_from_facts({{"header", frame_json_text({})},
                                        {"job", to_json_text(first)},
                                        {"later word", "{}"},
                                        {"job", to_json_text(second)}});
  ASSERT_EQ(run.jobs.size(), 1u);
  EXPECT_EQ(run.jobs[0].status, Status::done);
}

TEST(Journal, JobsComeInTheOrderOfTheJobFile) {
  const auto job = [](const char* id) { return Fact{"job", to_json_text(test::sample_job(id, 1))}; };
  const RunRecord run =
      run_from_facts({{"header", frame_json_text({})}, {"order", "[\"a\",\"b\",\"c\"]"}, job("c"), job("x"), job("a")});
  ASSERT_EQ(run.jobs.size(), 3u);
  EXPECT_EQ(run.jobs[0].id, "a");
  EXPECT_EQ(run.jobs[1].id, "c");
  EXPECT_EQ(run.jobs[2].id, "x");
}

TEST(Journal, ASecondLiveWriterIsRefusedWithExitCode3) {
  const TemporaryDirectory folder;
  const auto file = folder / "k.h5";
  Journal first = Journal::create(journal_path_of(file));
  EXPECT_EQ(exit_code_of(kind_thrown([&] { Journal::append_to(journal_path_of(file)); })), 3);
  EXPECT_EQ(kind_thrown([&] { Journal::create(journal_path_of(file)); }), ErrorKind::environment);
  EXPECT_EQ(kind_thrown([&] { prepare_output(file, false); }), ErrorKind::environment);
  EXPECT_TRUE(std::filesystem::exists(journal_path_of(file)));
}

TEST(Journal, WhoLooksForAMomentWhetherItIsWrittenKeepsNoWriterOut) {
  const TemporaryDirectory folder;
  const auto path = folder / "k.journal";
  Journal::create(path).append("header", "{}");
  FileDescriptor look = open_file(path, O_RDONLY);
  ASSERT_EQ(::flock(look.number(), LOCK_SH), 0);
  std::thread done([&look] {
    std::this_thread::sleep_for(std::chrono::milliseconds(40));
    look = {};
  });
  EXPECT_NO_THROW(Journal::append_to(path));
  done.join();
}

TEST(Journal, DoesNotFollowALinkPlantedAtItsName) {
  const TemporaryDirectory folder;
  put(folder / "victim", "precious");
  std::filesystem::create_symlink(folder / "victim", folder / "k.journal");
  EXPECT_EQ(kind_thrown([&] { Journal::append_to(folder / "k.journal"); }), ErrorKind::environment);
  EXPECT_EQ(contents_of(folder / "victim"), "precious");
}

TEST(Journal, KeepsNothingOfALineThatDidNotFitAndWorksAgainWhenThereIsRoom) {
  const TemporaryDirectory folder;
  const auto path = three_lines(folder);
  const std::string before = contents_of(path);
  Journal journal = Journal::append_to(path);
  {
    const test::TightDisk disk(before.size() + 50);
    EXPECT_EQ(kind_thrown([&] { journal.append("job", to_json_text(test::sample_job("c", 4))); }),
              ErrorKind::environment);
  }
  EXPECT_EQ(contents_of(path), before);
  journal.append("job", to_json_text(test::sample_job("c", 4)));
  EXPECT_EQ(read_journal(path).facts.size(), 4u);
}

// "header" on disk, two lines that are not, "job" that brought them there.
struct PartlySynced : ::testing::Test {
  PartlySynced() {
    Journal journal = Journal::create(path);
    const auto add = [&](std::string_view type, std::string_view body, Durability durability) {
      begins.push_back(std::filesystem::file_size(path));
      journal.append(type, body, durability);
    };
    add("header", frame_json_text({}), Durability::now);
    add("start", "{\"job\":\"a\"}", Durability::later);
    add("start", "{\"job\":\"b\"}", Durability::later);
    add("job", to_json_text(test::sample_job("a", 4)), Durability::now);
  }

  void damage(std::size_t line) const {
    std::string text = contents_of(path);
    for (std::size_t i = begins[line]; i + 1 < begins[line + 1]; ++i) text[i] = '\0';
    put(path, text);
  }
  std::vector<std::string> types() const {
    std::vector<std::string> list;
    for (const Fact& fact : read_journal(path).facts) list.push_back(fact.type);
    return list;
  }

  TemporaryDirectory folder;
  std::filesystem::path path = folder / "k.journal";
  std::vector<std::size_t> begins;
};

TEST_F(PartlySynced, LinesThatNobodyWaitsForComeBackLikeTheOthers) {
  EXPECT_THAT(types(), ::testing::ElementsAre("header", "start", "start", "job"));
  EXPECT_EQ(read_journal(path).note, "");
}

TEST_F(PartlySynced, DamageToWhatNobodyWasToldOfIsNotedAndCostsNothingElse) {
  for (const std::size_t line : {1u, 2u}) {
    const std::string whole = contents_of(path);
    damage(line);
    EXPECT_THAT(types(), ::testing::ElementsAre("header", "start", "job"));
    EXPECT_THAT(read_journal(path).note, ::testing::HasSubstr("k.journal:" + std::to_string(line == 1 ? 2 : 3) + ":"));
    put(path, whole);
  }
}

TEST_F(PartlySynced, DamageToWhatALaterLineCallsOnDiskIsAnError) {
  damage(0);
  EXPECT_EQ(kind_thrown([&] { read_journal(path); }), ErrorKind::data);
}

TEST_F(PartlySynced, OnceAnotherLineWasAcknowledgedDamageToAnyIsAnError) {
  Journal::append_to(path).append("run", frame_json_text({}));
  const std::string whole = contents_of(path);
  for (const std::size_t line : {0u, 1u, 2u}) {
    damage(line);
    EXPECT_EQ(kind_thrown([&] { read_journal(path); }), ErrorKind::data) << line;
    put(path, whole);
  }
}

TEST_F(PartlySynced, WhoGoesOnBehindDamageKeepsWhatStandsBehindIt) {
  damage(1);
  damage(2);
  for (int round = 0; round < 2; ++round) Journal::append_to(path).append("run", frame_json_text({}));
  EXPECT_THAT(types(), ::testing::ElementsAre("header", "job", "lost", "run", "run"));
  EXPECT_EQ(read_journal(path).note, "");
  std::string text = contents_of(path);
  text[begins[3] + 100] ^= 1;  // the job, now behind damage that is forgiven
  put(path, text);
  EXPECT_EQ(kind_thrown([&] { read_journal(path); }), ErrorKind::data);
}

TEST_F(PartlySynced, ATornEndMayBeSeveralLines) {
  put(path, contents_of(path).substr(0, begins[1]) + std::string(700, '\0') + "\n\n{\"sha256\":");
  EXPECT_THAT(types(), ::testing::ElementsAre("header"));
  EXPECT_EQ(read_journal(path).sound_bytes, begins[1]);
}

TEST(PrepareOutput, MovesEarlierFilesAsideUnlessResuming) {
  const TemporaryDirectory folder;
  put(folder / "k.h5", "old results");
  const std::string journal = journal_line("header", "{}", {}) + "torn";
  put(folder / "k.journal", journal);
  prepare_output(folder / "k.h5", true);
  EXPECT_TRUE(std::filesystem::exists(folder / "k.h5"));
  prepare_output(folder / "k.h5", false);
  EXPECT_FALSE(std::filesystem::exists(folder / "k.h5"));
  EXPECT_EQ(contents_of(folder / "k.h5.old"), "old results");
  EXPECT_EQ(contents_of(folder / "k.journal.old"), journal);
  put(folder / "k.journal", "torn before its first line was whole");
  prepare_output(folder / "k.h5", false);
  EXPECT_FALSE(std::filesystem::exists(folder / "k.journal"));
  EXPECT_EQ(contents_of(folder / "k.journal.old"), journal) << "it takes nobody's place";
}

TEST(PrepareOutput, AMissingFolderIsTheEnvironmentsFault) {
  const TemporaryDirectory folder;
  EXPECT_EQ(kind_thrown([&] { prepare_output(folder / "none" / "k.h5", false); }), ErrorKind::environment);
  EXPECT_EQ(kind_thrown([&] { prepare_output(folder.path(), false); }), ErrorKind::environment);
  EXPECT_EQ(kind_thrown([&] { prepare_output(folder / "k.journal", false); }), ErrorKind::usage);
}

}  // namespace
}  // namespace edgelab::results
