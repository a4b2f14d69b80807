// The guard of a rank, with shells as ranks.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/wait.h>

#include <csignal>
#include <cstdlib>

#include "batch/supervisor/rank_end.hpp"
#include "support/run_program.hpp"

namespace edgelab {
namespace {

using batch::RankEnd;
using test::ProgramResult;
using test::run_program;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

ProgramResult guarded(const std::string& script, const std::string& options = "") {
  return run_program("OMPI_COMM_WORLD_RANK=3 " EDGELAB_BINARY " guard --mark m1 " + options + " -- sh -c '" + script + "'");
}

// Runs `script` under a guard and, when it has said that it is ready, `then`, where $guard is the guard's process.
// env --default-signal: a shell starts background commands with SIGINT ignored, and a shell below can't trap it then.
ProgramResult disturbed(const std::string& script, const std::string& then, const std::string& options = "", const std::string& rank = "3") {
  return run_program("out=$(mktemp); OMPI_COMM_WORLD_RANK=" + rank + " env --default-signal=INT " EDGELAB_BINARY " guard --mark m1 " + options + " -- sh -c '" + script +
                     "' >$out & guard=$!\nwhile ! grep -q ready $out; do sleep 0.02; done\n" + then + "\nwait $guard; code=$?; cat $out; rm $out; exit $code");
}

RankEnd reported(const ProgramResult& result) {
  const std::string marker = "edgelab-guard m1 ";
  const std::size_t at = result.errors.find(marker);
  EXPECT_NE(at, std::string::npos) << result.errors;
  if (at == std::string::npos) return {};
  const std::optional<RankEnd> end = batch::read_report(result.errors.substr(at + marker.size(), result.errors.find('\n', at) - at - marker.size()));
  EXPECT_TRUE(end) << result.errors;
  return end.value_or(RankEnd{});
}

TEST(Guard, PassesOutputOnAndIsSilentOfAGoodEnd) {
  const ProgramResult result = guarded("echo out; echo err >&2");
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.output, "out\n");
  EXPECT_EQ(result.errors, "err\n");
}

TEST(Guard, TellsTheSupervisorOfAnOrderlyFailureAndMpirunOfNone) {
  const ProgramResult result = guarded("exit 3");
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(reported(result).code, 3);
  EXPECT_EQ(reported(result).rank, 3);
  EXPECT_FALSE(reported(result).told);
}

TEST(Guard, TellsBothOfAnyOtherExitCode) {
  const ProgramResult result = guarded("exit 75");
  EXPECT_EQ(result.exit_code, 75);
  EXPECT_EQ(reported(result).code, 75);
}

TEST(Guard, TellsOfASignalWithTheLastWordsBeforeIt) {
  const ProgramResult result = guarded("echo something is wrong >&2; kill -SEGV $$");
  EXPECT_EQ(result.exit_code, 128 + SIGSEGV);
  EXPECT_EQ(reported(result).signal, SIGSEGV);
  EXPECT_THAT(reported(result).last_words, ElementsAre("something is wrong"));
  EXPECT_FALSE(reported(result).host.empty());
}

TEST(Guard, WhereRanksOutliveEachOtherItDiesOfItsRanksSignalOrTheyWouldNotHearOfIt) {
  // exec: the guard is then our own child, whose end we see as mpirun does.
  const int status = std::system("exec env OMPI_COMM_WORLD_RANK=3 " EDGELAB_BINARY " guard --survives --mark m1 -- sh -c 'kill -SEGV $$' 2>/dev/null");
  ASSERT_TRUE(WIFSIGNALED(status)) << status;
  EXPECT_EQ(WTERMSIG(status), SIGSEGV);
  EXPECT_EQ(reported(guarded("kill -SEGV $$", "--survives")).signal, SIGSEGV);
}

TEST(Guard, WhereRanksOutliveEachOtherItEndsWithZeroAfterAnyExitCode) {
  const ProgramResult result = guarded("exit 75", "--survives");
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(reported(result).code, 75);
}

TEST(Guard, WhereRanksOutliveEachOtherRankZerosGoodEndIsReportedToo) {
  EXPECT_THAT(guarded("exit 0", "--survives").errors, IsEmpty());
  const ProgramResult leader = run_program("OMPI_COMM_WORLD_RANK=0 " EDGELAB_BINARY " guard --mark m1 --survives -- true");
  EXPECT_EQ(leader.exit_code, 0);
  EXPECT_EQ(reported(leader).code, 0);
  EXPECT_EQ(reported(leader).rank, 0);
}

TEST(Guard, AProgramThatIsNotThereIsAnError) {
  const ProgramResult result = run_program(EDGELAB_BINARY " guard --mark m1 -- /no/such/program");
  EXPECT_EQ(result.exit_code, 127);
  EXPECT_THAT(result.errors, HasSubstr("/no/such/program"));
}

TEST(Guard, ARankThatDiesOfMpirunsSigtermWasTold) {
  const ProgramResult result = disturbed("echo ready; exec sleep 60", "kill -TERM $guard");
  EXPECT_EQ(result.exit_code, 128 + SIGTERM);
  EXPECT_TRUE(reported(result).told);
}

TEST(Guard, AnOrderToEndIsSigtermOrSigintToTheRank) {
  for (const auto& [order, seen] : {std::pair{"USR1", "TERM"}, std::pair{"USR2", "INT"}}) {
    const ProgramResult result = disturbed("trap \"echo got TERM; exit 143\" TERM; trap \"echo got INT; exit 130\" INT; echo ready; while :; do sleep 0.02; done",
                                           std::string("kill -") + order + " $guard", "", "0");
    EXPECT_THAT(result.output, HasSubstr(std::string("got ") + seen));
    EXPECT_TRUE(reported(result).told);
  }
}

TEST(Guard, ARankThatDoesNotHeedAnOrderIsKilledAfterTheGraceTime) {
  const ProgramResult result = disturbed("trap \"\" TERM; echo ready; while :; do sleep 0.02; done", "kill -USR1 $guard", "--grace 1", "0");
  EXPECT_EQ(result.exit_code, 128 + SIGKILL);
  EXPECT_EQ(reported(result).signal, SIGKILL);
}

TEST(Guard, StaysAfterAnOrderedEndUntilMpirunEndsItSinceRankZeroMayStillWrite) {
  const ProgramResult result = disturbed("trap \"exit 143\" TERM; echo ready; while :; do sleep 0.02; done",
                                         "kill -USR1 $guard; sleep 1; kill -0 $guard && echo it lives; kill -TERM $guard");
  EXPECT_THAT(result.output, HasSubstr("it lives"));
  EXPECT_EQ(result.exit_code, 143);
}

TEST(Guard, ARankDiesWithItsGuardAndAGuardWithItsParent) {
  // The guard is killed; then the process that started one.
  const ProgramResult first = disturbed("echo ready; echo $$; exec sleep 60",
                                        "kill -KILL $guard; for i in $(seq 100); do kill -0 $(tail -1 $out) 2>/dev/null || { echo gone; break; }; sleep 0.1; done");
  EXPECT_THAT(first.output, HasSubstr("gone"));  // not at once: whoever adopts the rank reaps it in their own time
  const ProgramResult second = run_program(
      "out=$(mktemp); sh -c '" EDGELAB_BINARY " guard --mark m1 -- sh -c \"echo \\$\\$; exec sleep 60\" >'$out' & wait' & parent=$!\n"
      "while ! [ -s $out ]; do sleep 0.02; done; kill -KILL $parent\n"
      "for i in $(seq 100); do kill -0 $(cat $out) 2>/dev/null || { echo gone; break; }; sleep 0.1; done; rm $out");
  EXPECT_THAT(second.output, HasSubstr("gone"));
}

}  // namespace
}  // namespace edgelab
