// `edgelab top` on a batch that runs, and on what one has left.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <thread>

#include "support/pseudo_terminal.hpp"
#include "support/steered_batch.hpp"

namespace edgelab {
namespace {

using test::ProgramResult;
using test::PseudoTerminal;
using test::run_program;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kJobs = "  - {id: first}\n  - {id: wait, needs: [first]}\n  - {id: last, needs: [wait]}\n";

class Top : public test::SteeredBatch {
 protected:
  // Runs kJobs while `look` looks at it, or until it calls end_batch().
  template <class Look>
  void while_it_runs(Look look) const {
    std::thread batch([&] {
      steered(kJobs, "wait", "until test -e " + stop() + "; do sleep 0.05; done; " EDGELAB_BINARY " cancel wait");
    });
    try {
      look();
    } catch (const std::exception& error) {
      ADD_FAILURE() << error.what();
    }
    end_batch();
    batch.join();
  }
  void end_batch() const { std::ofstream(stop()).put('\n'); }
  std::string stop() const { return (folder_ / "stop").string(); }

  // `top` as soon as the batch can be found.
  std::string top_in_terminal() const {
    return "export TERM=xterm EDGELAB_SPOOL=" + spool() +
           "; until " EDGELAB_BINARY " top --once 2>&1 | grep -q 'for ever'; do sleep 0.05; done; exec " EDGELAB_BINARY
           " top";
  }
};

TEST_F(Top, OnceShowsWhatRunsAndHowFarWhatWaitsAndWhatHasEnded) {
  const std::string told = EDGELAB_BINARY " top --once | grep -q 'training for ever'";
  const ProgramResult result =
      steered(kJobs, "wait",
              "until " + told + "; do sleep 0.05; done; " EDGELAB_BINARY " top --once; " EDGELAB_BINARY " top --once " +
                  results() + " >top.txt; " EDGELAB_BINARY " cancel wait >/dev/null; cat top.txt");
  for (const char* part : {"1 of 3 jobs   1 running   1 waiting   0 of 1 ranks free", "wait  1 rank on ", " 25 %",
                           "about 3 min", "loss ", "samples/s 812.0 ", "last  for its needs", "first  done"}) {
    EXPECT_THAT(result.output, HasSubstr(part)) << result.errors;
    EXPECT_NE(result.output.find(part), result.output.rfind(part))
        << part << ": named by its file, the batch is the same";
  }
  EXPECT_THAT(result.output, Not(HasSubstr("\033")));
}

TEST_F(Top, OfABatchThatIsOverTheJournalTells) {
  steered("  - {id: throw}\n  - {id: after, needs: [throw]}\n  - {id: good}\n", "good", "");
  const ProgramResult result = run_program("EDGELAB_SPOOL=" + spool() + " " EDGELAB_BINARY " top " + results());
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  for (const char* part : {"it has ended, with every job", "3 of 3 jobs   1 failed   1 skipped\n",
                           "throw  failed: ", "broken by design", "after  skipped: ", "good  done"}) {
    EXPECT_THAT(result.output, HasSubstr(part));
  }
}

TEST_F(Top, OfABatchThatWasKilledTheJournalTellsWhatIsLeft) {
  steered(kJobs, "wait", "kill -9 $pid");
  const ProgramResult result = run_program("EDGELAB_SPOOL=" + spool() + " " EDGELAB_BINARY " top --once " + results());
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  for (const char* part : {"--resume goes on", "1 of 3 jobs   2 waiting\n", "first  done"})
    EXPECT_THAT(result.output, HasSubstr(part));
}

TEST_F(Top, WithoutABatchItSaysSo) {
  const std::string top = "EDGELAB_SPOOL=" + spool() + " " EDGELAB_BINARY " top ";
  EXPECT_EQ(run_program(top).exit_code, 3);
  const ProgramResult result = run_program(top + results());
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_THAT(result.errors, HasSubstr("journal is missing"));
  EXPECT_EQ(run_program(top + results() + " --batch night").exit_code, 2);
}

TEST_F(Top, InATerminalItIsDrawnAnewUntilAKeyEndsIt) {
  while_it_runs([&] {
    PseudoTerminal terminal(top_in_terminal(), 70, 20);
    ASSERT_TRUE(terminal.shows("training for ever", 2)) << terminal.shown();
    EXPECT_FALSE(terminal.echoes());
    EXPECT_THAT(terminal.shown(), HasSubstr("\033[?1049h"));
    terminal.press("xq");
    EXPECT_EQ(terminal.wait(), 0);
    EXPECT_TRUE(terminal.echoes());
    EXPECT_THAT(terminal.shown(), HasSubstr("\033[?1049l"));
  });
}

TEST_F(Top, CtrlCEndsItAndTheTerminalIsAsBefore) {
  while_it_runs([&] {
    PseudoTerminal terminal(top_in_terminal(), 70, 20);
    ASSERT_TRUE(terminal.shows("training for ever")) << terminal.shown();
    terminal.press("\003");
    EXPECT_EQ(terminal.wait(), 0);
    EXPECT_TRUE(terminal.echoes());
  });
}

TEST_F(Top, ItFollowsTheTerminalsWidth) {
  while_it_runs([&] {
    PseudoTerminal terminal(top_in_terminal(), 100, 20);
    ASSERT_TRUE(terminal.shows("1 waiting   0 of 1 ranks free")) << terminal.shown();
    terminal.resize(24, 20);
    EXPECT_TRUE(terminal.shows("1 running   1 waiting\033[K\r\n0 of 1 ranks free")) << terminal.shown();
    terminal.press("q");
    EXPECT_EQ(terminal.wait(), 0);
  });
}

TEST_F(Top, ItEndsWithTheBatchAndLeavesTheLastFrame) {
  while_it_runs([&] {
    PseudoTerminal terminal(top_in_terminal(), 100, 20);
    ASSERT_TRUE(terminal.shows("training for ever")) << terminal.shown();
    end_batch();
    EXPECT_EQ(terminal.wait(), 0);
    const std::string left = terminal.shown().substr(terminal.shown().rfind("\033[?1049l"));
    EXPECT_THAT(left, HasSubstr("it has ended, with every job"));
    EXPECT_THAT(left, HasSubstr("last\033[33m  skipped"));
  });
}

}  // namespace
}  // namespace edgelab
