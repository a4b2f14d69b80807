// `edgelab queue`, `cancel`, `drain` and `submit --into` on a batch that runs (tests/support/faulty_edgelab.cpp).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "support/steered_batch.hpp"

namespace edgelab {
namespace {

using nlohmann::json;
using test::ProgramResult;
using test::run_program;
using testing::HasSubstr;

class Steering : public test::SteeredBatch {};

TEST_F(Steering, TheQueueShowsWhatRunsAndWhatWaitsAndForWhat) {
  const ProgramResult result =
      steered("  - {id: wait}\n  - {id: next}\n  - {id: last, needs: [next]}\n", "wait", EDGELAB_BINARY " queue --json; " EDGELAB_BINARY " cancel wait >/dev/null");
  const json queue = json::parse(result.output, nullptr, false);
  ASSERT_FALSE(queue.is_discarded()) << result.output << result.errors;
  ASSERT_EQ(queue.size(), 1u);
  EXPECT_EQ(queue[0]["name"], "night");
  EXPECT_EQ(queue[0]["running"], 1);
  EXPECT_EQ(queue[0]["waiting"], 2);
  ASSERT_EQ(queue[0]["rows"].size(), 3u);
  EXPECT_EQ(queue[0]["rows"][0]["id"], "wait");
  EXPECT_EQ(queue[0]["rows"][0]["state"], "running");
  EXPECT_THAT(queue[0]["rows"][1]["text"].get<std::string>(), HasSubstr("for 1 rank"));
  EXPECT_THAT(queue[0]["rows"][2]["text"].get<std::string>(), HasSubstr("needs"));
}

TEST_F(Steering, ACancelledJobEndsAloneWhetherItRunsOrWaits) {
  const ProgramResult result = steered("  - {id: wait, retries: 3}\n  - {id: out}\n  - {id: after, needs: [out]}\n  - {id: next}\n", "wait",
                                       EDGELAB_BINARY " cancel nxet; echo code $?; " EDGELAB_BINARY " cancel out wait");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.output, HasSubstr("out is cancelled\nwait is cancelled\n"));
  EXPECT_THAT(result.output, HasSubstr("code 2"));
  EXPECT_THAT(result.errors, HasSubstr("did you mean \"next\""));
  const json jobs = shown()["jobs"];
  EXPECT_EQ(jobs["wait"]["status"], "interrupted") << "a cancelled job is not tried again";
  EXPECT_EQ(jobs["wait"]["reason"], "it was cancelled");
  EXPECT_EQ(jobs["out"]["status"], "skipped");
  EXPECT_EQ(jobs["after"]["status"], "skipped");
  EXPECT_EQ(jobs["next"]["status"], "done");
}

TEST_F(Steering, JobsThatJoinRunInThatBatchAndBelongToItAfterwards) {
  const std::string more = write("more", "  - {id: extra}\n"), same = write("same", "  - {id: next}\n"), wide = write("wide", "  - {id: w, ranks: 2}\n");
  const std::string jobs = "  - {id: wait}\n  - {id: next}\n";
  const std::string into = std::string(EDGELAB_BINARY) + " submit --into night ";
  const ProgramResult result = steered(jobs, "wait",
                                       into + more + "; " + into + same + "; echo same $?; " + into + wide + "; echo wide $?; " + EDGELAB_BINARY " cancel wait");
  EXPECT_THAT(result.output, HasSubstr("1 job has joined the batch night-"));
  EXPECT_THAT(result.output, HasSubstr("same 2"));
  EXPECT_THAT(result.output, HasSubstr("wide 3"));
  EXPECT_EQ(shown()["jobs"]["extra"]["status"], "done");
  EXPECT_EQ(shown()["jobs"].size(), 3u);
  // Resumed, the batch knows it still: done jobs are taken over and the cancelled one is tried again.
  steered(jobs, "wait", "", "--resume --set jobs.wait.time_limit=200ms");
  EXPECT_EQ(shown()["jobs"]["extra"]["status"], "done");
  EXPECT_EQ(shown()["jobs"]["extra"]["attempts"], 1);
  EXPECT_EQ(shown()["jobs"].size(), 3u);
}

TEST_F(Steering, OnADrainedHostNothingStartsAndTheBatchDoesNotWaitForEver) {
  const ProgramResult result =
      steered("  - {id: wait, time_limit: 1s}\n  - {id: next}\n", "wait", EDGELAB_BINARY " drain nohost; echo code $?; " EDGELAB_BINARY " drain $(uname -n)");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.output, HasSubstr("code 2"));
  EXPECT_EQ(shown()["jobs"]["next"]["status"], "skipped");
  EXPECT_THAT(shown()["jobs"]["next"]["reason"].get<std::string>(), HasSubstr("drained"));
}

TEST_F(Steering, ResultsDoNotWaitForWhoeverLeavesAnAnswerUnread) {
  const ProgramResult result = steered("  - {id: wait}\n", "wait",
                                       "echo '{\"kind\":\"cancel\",\"job\":\"wait\",\"host\":\"\",\"drained\":true,\"name\":\"\",\"text\":\"\"}' > 1.json\n"
                                       "mv 1.json $EDGELAB_SPOOL/night-*/in/\n"
                                       "for i in $(seq 1000); do ls -d $EDGELAB_SPOOL/night-* >/dev/null 2>&1 || break; [ -f r.h5 ] && seen=first; sleep 0.02; done; echo results $seen");
  EXPECT_THAT(result.output, HasSubstr("results first")) << result.errors;
  EXPECT_EQ(shown()["jobs"]["wait"]["reason"], "it was cancelled");
}

TEST_F(Steering, WithoutABatchTheCommandsSaySo) {
  const std::string spool = "EDGELAB_SPOOL=" + this->spool() + " ";
  EXPECT_EQ(run_program(spool + EDGELAB_BINARY " queue").exit_code, 0);
  EXPECT_EQ(run_program(spool + EDGELAB_BINARY " cancel a").exit_code, 3);
  EXPECT_EQ(run_program(spool + EDGELAB_BINARY " submit --into x " + write("more", "  - {id: extra}\n")).exit_code, 3);
}

}  // namespace
}  // namespace edgelab
