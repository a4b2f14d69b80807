#include "batch/spool/spool.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "core/error.hpp"
#include "support/temporary_directory.hpp"

namespace edgelab::batch::spool {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;
using testing::HasSubstr;

class Spool : public testing::Test {
 protected:
  Spool() { setenv("EDGELAB_SPOOL", spool().c_str(), 1); }
  ~Spool() override { unsetenv("EDGELAB_SPOOL"); }

  fs::path spool() const { return folder_ / "spool"; }
  static RunningBatch named(const std::string& name) { return {name, "", "/r.h5", "here", getpid(), 1}; }
  static fs::path in(const Inbox& inbox) { return root() / inbox.batch().id / "in"; }

  // The next letter; looks are 100 ms apart.
  static std::optional<Inbox::Letter> next(Inbox& inbox) {
    for (int i = 0; i < 100; ++i) {
      if (auto letter = inbox.next()) return letter;
      std::this_thread::sleep_for(20ms);
    }
    return std::nullopt;
  }

  template <class Body> static std::string error_of(Body body) {
    try {
      body();
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }

  test::TemporaryDirectory folder_;
};

TEST_F(Spool, ACommandReachesTheBatchAndItsAnswerComesBack) {
  Inbox inbox(named("night"));
  Command command;
  command.kind = Command::Kind::drain;
  command.host = "pi3";
  command.drained = false;
  std::thread leader([&] {
    const auto letter = next(inbox);
    ASSERT_TRUE(letter);
    EXPECT_EQ(letter->command, command);
    QueueView view;
    view.jobs = 7;
    view.rows = {{"a", "running", 2, 4, "pi1 pi2", 5, 0.5, "measuring", {0.75, 0.5}, {812}, 60}};
    inbox.answer(letter->id, {0, "done so", view});
  });
  const Answer answer = ask(find_batch("night"), command);
  leader.join();
  EXPECT_EQ(answer.text, "done so");
  EXPECT_EQ(answer.view.jobs, 7u);
  ASSERT_EQ(answer.view.rows.size(), 1u);
  EXPECT_EQ(answer.view.rows[0].hosts, "pi1 pi2");
  EXPECT_EQ(answer.view.rows[0].losses, (std::vector<double>{0.75, 0.5}));
  EXPECT_EQ(answer.view.rows[0].rates, std::vector<double>{812});
  EXPECT_EQ(answer.view.rows[0].left_ns, 60);
  EXPECT_TRUE(fs::is_empty(in(inbox)));
}

TEST_F(Spool, WhoWaitsForAnAnswerIsToldThatTheBatchHasEnded) {
  auto inbox = std::make_unique<Inbox>(named("short"));
  const RunningBatch batch = find_batch("");
  std::thread leader([&] {
    std::this_thread::sleep_for(200ms);
    inbox.reset();
  });
  EXPECT_THAT(error_of([&] { ask(batch, {}); }), HasSubstr("before it answered"));
  leader.join();
  EXPECT_TRUE(fs::is_empty(spool()));
}

TEST_F(Spool, WhatADeadLeaderLeftIsNoRunningBatchAndIsRemoved) {
  fs::create_directories(root() / "old-1");
  std::ofstream(root() / "old-1" / "lock");
  EXPECT_TRUE(running_batches().empty());
  EXPECT_FALSE(fs::exists(spool() / "old-1"));
  EXPECT_THAT(error_of([] { find_batch(""); }), HasSubstr("no batch of yours is running"));
}

TEST_F(Spool, OfSeveralBatchesTheNameMustSayWhich) {
  const Inbox one(named("one"));
  RunningBatch other = named("two");
  other.pid += 1;
  const Inbox two(other);
  EXPECT_EQ(running_batches().size(), 2u);
  EXPECT_EQ(find_batch("two").name, "two");
  EXPECT_EQ(find_batch(one.batch().id).name, "one");
  EXPECT_THAT(error_of([] { find_batch(""); }), HasSubstr("several batches"));
  EXPECT_THAT(error_of([] { find_batch("three"); }), HasSubstr("one of: "));
}

TEST_F(Spool, IsForThisUserAlone) {
  struct stat status {};
  ASSERT_EQ(stat(root().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700u);
  chmod(spool().c_str(), 0755);
  EXPECT_THAT(error_of([] { root(); }), HasSubstr("open to others"));
  fs::remove(spool());
  fs::create_directory(folder_ / "elsewhere");
  fs::create_symlink(folder_ / "elsewhere", spool());
  EXPECT_THAT(error_of([] { root(); }), HasSubstr("not a folder"));
}

// Each is refused without being carried out, taken away, and answered with what is wrong.
TEST_F(Spool, CommandsThatOthersMayHaveWrittenAreRefused) {
  Inbox inbox(named("night"));
  std::ofstream(folder_ / "command") << to_text(Command{});
  fs::create_symlink(folder_ / "command", in(inbox) / "1-link.json");
  std::ofstream(in(inbox) / "2-open.json") << to_text(Command{});
  chmod((in(inbox) / "2-open.json").c_str(), 0666);
  std::ofstream(in(inbox) / "3-odd.json") << R"({"kind":"format the disk","job":"","host":"","drained":true,"name":"","text":""})";
  std::ofstream(in(inbox) / "4-torn.json") << "{\"kind\":";
  mkfifo((in(inbox) / "5-pipe.json").c_str(), 0600);
  std::ofstream(in(inbox) / "6-big.json") << std::string(kMostBytes + 1, ' ');
  if (geteuid() == 0) {
    std::ofstream(in(inbox) / "7-foreign.json") << to_text(Command{});
    ASSERT_EQ(chown((in(inbox) / "7-foreign.json").c_str(), 12345, 12345), 0);
  }
  EXPECT_FALSE(inbox.next());
  EXPECT_TRUE(fs::is_empty(in(inbox)));
  EXPECT_TRUE(fs::exists(folder_ / "command")) << "a link is removed, not what it leads to";
  int answers = 0;
  for (const auto& entry : fs::directory_iterator(root() / inbox.batch().id / "out")) {
    const std::vector<std::uint8_t> bytes = read_file(entry.path(), kMostBytes);
    EXPECT_NE(answer_from({reinterpret_cast<const char*>(bytes.data()), bytes.size()}).exit_code, 0) << entry.path();
    ++answers;
  }
  EXPECT_EQ(answers, geteuid() == 0 ? 7 : 6);
}

}  // namespace
}  // namespace edgelab::batch::spool
