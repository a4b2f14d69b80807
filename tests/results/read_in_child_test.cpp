#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <fstream>

#include "core/error.hpp"
#include "results/hdf5/limited_child.hpp"
#include "results/hdf5/reading.hpp"
#include "results/hdf5/run_file.hpp"
#include "results/sample_run.hpp"
#include "support/temporary_directory.hpp"

namespace edgelab::results::hdf5 {
namespace {

using testing::HasSubstr;

constexpr std::uint64_t kMiB = 1 << 20;
constexpr Limits kRoomy{.memory_bytes = 1024 * kMiB, .cpu_seconds = 30, .answer_bytes = kMiB};

TEST(AskChild, GivesBackWhatTheWorkReturned) {
  const Answer answer = ask_child([] { return std::string(300'000, 'x'); }, kRoomy);
  EXPECT_EQ(answer.failure, "");
  EXPECT_EQ(answer.text, std::string(300'000, 'x'));
}

TEST(AskChild, LeavesThisProcessAsItWas) {
  int here = 1;
  ask_child([&] { return std::to_string(here = 2); }, kRoomy);
  EXPECT_EQ(here, 1);
}

TEST(AskChild, SaysThatTheWorkCrashed) {
  const auto crash = [] {
    std::signal(SIGSEGV, SIG_DFL);  // sanitizers would report it
    std::raise(SIGSEGV);
    return std::string();
  };
  EXPECT_THAT(ask_child(crash, kRoomy).failure, HasSubstr("crashes on it (signal 11)"));
}

TEST(AskChild, EndsWorkThatNeverEnds) {
  const auto forever = [] {
    volatile bool going = true;
    while (going) {
    }
    return std::string();
  };
  Limits limits = kRoomy;
  limits.cpu_seconds = 1;
  EXPECT_EQ(ask_child(forever, limits).failure, "reading it took more than 1 s of processor time");
}

// Found by the kill test: a supervisor killed while it read left a child that waited for ever.
TEST(AskChild, DoesNotOutliveWhoAsked) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const pid_t asker = fork();
  if (asker == 0) {
    const auto wait_for_ever = [&]() -> std::string {
      [[maybe_unused]] const ssize_t begun = write(ends[1], "x", 1);
      while (true) pause();
    };
    ask_child(wait_for_ever, kRoomy);
    _exit(0);
  }
  close(ends[1]);
  char begun = 0;
  EXPECT_EQ(read(ends[0], &begun, 1), 1);
  kill(asker, SIGKILL);
  waitpid(asker, nullptr, 0);
  pollfd end{ends[0], POLLIN, 0};  // the pipe ends when nobody holds it any more
  EXPECT_EQ(poll(&end, 1, 10'000), 1);
  EXPECT_EQ(read(ends[0], &begun, 1), 0);
  close(ends[0]);
}

// qemu-user says that it has set a limit of memory, and has not. A limit that is refused is no such case.
bool memory_can_be_limited() {
  rlimit before{}, after{};
  getrlimit(RLIMIT_AS, &before);
  const rlimit wanted{std::min<rlim_t>(before.rlim_cur, rlim_t{1} << 46), before.rlim_max};
  const bool said_so = setrlimit(RLIMIT_AS, &wanted) == 0;
  getrlimit(RLIMIT_AS, &after);
  setrlimit(RLIMIT_AS, &before);
  return !said_so || after.rlim_cur == wanted.rlim_cur;
}

TEST(AskChild, EndsWorkThatWantsTooMuchMemory) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer's own memory leaves no room for a limit";
#endif
  if (!memory_can_be_limited()) GTEST_SKIP() << "RLIMIT_AS has no effect here, as under qemu-user: no process can be kept from taking memory";
  const auto hog = [] { return std::string(1 << 30, 'x'); };
  Limits limits = kRoomy;
  limits.memory_bytes = 100 * kMiB;
  EXPECT_THAT(ask_child(hog, limits).failure, HasSubstr("more memory"));
}

TEST(AskChild, TakesNoMoreThanTheAnswerMayHold) {
  Limits limits = kRoomy;
  limits.answer_bytes = 1000;
  EXPECT_EQ(ask_child([] { return std::string(1000, 'x'); }, limits).failure, "");
  EXPECT_THAT(ask_child([] { return std::string(1'000'000, 'x'); }, limits).failure, HasSubstr("out of all proportion"));
}

TEST(AskChild, LetsNoFileGrow) {
  const test::TemporaryDirectory folder;
  const auto scribble = [&] {
    std::signal(SIGXFSZ, SIG_IGN);
    std::ofstream file(folder / "file");
    file << "text" << std::flush;
    return std::string(file ? "written" : "refused");
  };
  EXPECT_EQ(ask_child(scribble, kRoomy).text, "refused");
}

TEST(Reading, GoesThroughItsTextUnchanged) {
  const Reading reading{"it broke", test::sample_run(), {"a problem", "another"}};
  EXPECT_EQ(reading_from_text(to_text(reading)), reading);
  EXPECT_EQ(reading_from_text(to_text({})), Reading{});
}

TEST(Reading, IsRefusedUnlessItIsWhole) {
  const std::string whole = to_text({"", test::sample_run(), {}});
  for (std::size_t length = 0; length < whole.size() - 5; length += 997)
    EXPECT_THROW(reading_from_text(whole.substr(0, length)), Error) << length;
  EXPECT_THROW(reading_from_text("frame 3\nend \n"), Error);
  EXPECT_THROW(reading_from_text("job [[[[\nend \n"), Error);
}

TEST(Reading, IsTheSameInTheChildAndHere) {
  const test::TemporaryDirectory folder;
  write_run(folder / "k.h5", test::sample_run());
  for (const OnProblem on_problem : {OnProblem::stop, OnProblem::go_on}) {
    const Reading here = read_here(folder / "k.h5", on_problem);
    EXPECT_EQ(here.run, test::sample_run());
    EXPECT_EQ(read_in_child(folder / "k.h5", on_problem), here);
  }
}

}  // namespace
}  // namespace edgelab::results::hdf5
