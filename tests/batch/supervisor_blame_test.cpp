// Who is to blame when mpirun has ended, and what the journal is told of it.
#include "batch/supervisor/blame.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "results/json/record_json.hpp"

namespace edgelab::batch {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

RankEnd killed(int rank, int signal, bool told = false) {
  RankEnd end;
  end.rank = rank;
  end.host = "pi" + std::to_string(rank);
  end.signal = signal;
  end.told = told;
  return end;
}

RankEnd exited(int rank, int code, bool told = false) {
  RankEnd end = killed(rank, 0, told);
  end.code = code;
  return end;
}

// Job a on ranks 0 and 1, b on rank 2, c on rank 3.
SessionState three_jobs() {
  SessionState state;
  state.running["a"] = {"a", 1, {0, 1}, {"pi0", "pi1"}};
  state.running["b"] = {"b", 2, {2}, {"pi2"}};
  state.running["c"] = {"c", 1, {3}, {"pi3"}};
  return state;
}

std::vector<std::string> names(const Finding& finding) {
  std::vector<std::string> jobs;
  for (const Finding::Culprit& culprit : finding.culprits) jobs.push_back(culprit.job);
  return jobs;
}

Finding find(const MpirunEnd& end, const SessionState& state = three_jobs()) { return Blame().find(end, state); }

TEST(Blame, TheJobWhoseRankDiedOfASignalIsResponsibleAndNoOther) {
  RankEnd death = killed(1, SIGSEGV);
  death.last_words = {"terminate called", "what(): no"};
  const Finding finding = find({139, {death, killed(2, SIGTERM, true), exited(3, 143, true)}, {}});
  EXPECT_TRUE(finding.explained);
  ASSERT_THAT(names(finding), ElementsAre("a"));
  EXPECT_EQ(finding.culprits[0].rank, 1);
  for (const char* part : {"rank 1 on pi1", "SIGSEGV (segmentation fault)", "terminate called | what(): no"}) {
    EXPECT_THAT(finding.culprits[0].reason, HasSubstr(part));
  }
}

TEST(Blame, TwoJobsThatCrashAtOnceAreBothResponsible) {
  EXPECT_THAT(names(find({134, {killed(3, SIGABRT), killed(2, SIGSEGV)}, {}})), ElementsAre("c", "b"));
}

TEST(Blame, TwoRanksOfOneJobAreOneCulprit) { EXPECT_THAT(names(find({139, {killed(1, SIGSEGV), killed(0, SIGSEGV)}, {}})), ElementsAre("a")); }

TEST(Blame, AStrangeExitCodeCountsForTheFirstRankOnlySinceLaterOnesMayHaveLostTheirPeer) {
  EXPECT_THAT(names(find({7, {exited(2, 7), exited(1, 255)}, {}})), ElementsAre("b"));
  EXPECT_THAT(names(find({139, {killed(2, SIGSEGV), exited(1, 255)}, {}})), ElementsAre("b"));
}

TEST(Blame, ARankKilledForWantOfMemorySaysSo) {
  RankEnd death = killed(2, SIGKILL);
  death.out_of_memory = OutOfMemory::yes;
  EXPECT_THAT(find({137, {death}, {}}).culprits.at(0).reason, HasSubstr("SIGKILL: out of memory"));
  death.out_of_memory = OutOfMemory::unknown;
  EXPECT_THAT(find({137, {death}, {}}).culprits.at(0).reason, HasSubstr("SIGKILL (out of memory?)"));
  death.out_of_memory = OutOfMemory::no;
  EXPECT_THAT(find({137, {death}, {}}).culprits.at(0).reason, testing::Not(HasSubstr("memory")));
}

TEST(Blame, ALeaderKilledFromOutsideBlamesNobodyButOneThatRanOutOfMemoryDoes) {
  RankEnd death = killed(0, SIGKILL);
  const Finding outside = find({137, {death}, {}});
  EXPECT_THAT(outside.culprits, IsEmpty());
  EXPECT_FALSE(outside.explained);
  death.out_of_memory = OutOfMemory::yes;
  EXPECT_THAT(names(find({137, {death}, {}})), ElementsAre("a"));
}

TEST(Blame, AnIdleRanksDeathBlamesNobody) {
  const Finding finding = find({139, {killed(4, SIGSEGV)}, {}});
  EXPECT_THAT(finding.culprits, IsEmpty());
  EXPECT_THAT(finding.what, HasSubstr("rank 4"));
}

TEST(Blame, ALostHostBlamesNobody) {
  const Finding finding = find({1, {}, {"pi3"}});
  EXPECT_TRUE(finding.explained);
  EXPECT_THAT(finding.culprits, IsEmpty());
  EXPECT_THAT(finding.what, HasSubstr("pi3"));
}

TEST(Blame, AWantedRestartBlamesNobodySinceTheLeaderHasDoneSo) {
  const Finding finding = find({kRestartWanted, {exited(0, kRestartWanted), exited(1, 143, true)}, {}});
  EXPECT_TRUE(finding.explained);
  EXPECT_THAT(finding.culprits, IsEmpty());
}

TEST(Blame, WhoDiesAfterRankZeroMayHaveDiedOfThat) {
  EXPECT_THAT(find({137, {killed(0, SIGKILL), killed(2, SIGSEGV)}, {}}).culprits, IsEmpty());
  EXPECT_THAT(names(find({139, {killed(2, SIGSEGV), killed(0, SIGSEGV), killed(3, SIGSEGV)}, {}})), ElementsAre("b", "a"));
}

TEST(Blame, ADeathThatTheRunOutlivedBlamesNobodyButCountsAgainstItsHost) {
  SessionState state = three_jobs();
  state.last_job = {{0, "a"}, {1, "a"}, {2, "b"}, {3, "c"}};
  state.running.erase("c");
  const Finding finding = find({139, {killed(3, SIGSEGV), exited(0, kRestartWanted), exited(1, 3)}, {}}, state);
  EXPECT_TRUE(finding.explained);
  EXPECT_THAT(finding.culprits, IsEmpty());
  ASSERT_THAT(finding.survived, SizeIs(1));
  EXPECT_EQ(finding.survived[0].job, "c");
  EXPECT_EQ(finding.survived[0].rank, 3);
  EXPECT_THAT(finding.what, HasSubstr("rank 3 on pi3 was killed by SIGSEGV (segmentation fault), and jobs are left"));
}

TEST(Blame, ALeaderThatEndedWellAfterADeathHasFinishedWhateverMpirunSays) {
  const Verdict verdict = verdict_of({139, {killed(3, SIGSEGV), exited(0, 0)}, {}}, true, true);
  EXPECT_EQ(verdict.outcome, Outcome::finished);
  EXPECT_EQ(verdict.exit_code, 0);
}

TEST(Blame, AJobAtWorkInThreeUnexplainedEndsInARowIsResponsible) {
  Blame blame;
  const MpirunEnd end{137, {}, {}};
  SessionState with_b = three_jobs(), without_b = three_jobs();
  without_b.running.erase("b");
  EXPECT_THAT(blame.find(end, with_b).culprits, IsEmpty());
  EXPECT_THAT(blame.find(end, without_b).culprits, IsEmpty());
  EXPECT_THAT(names(blame.find(end, with_b)), ElementsAre("a", "c"));
  EXPECT_THAT(blame.find(end, with_b).culprits, IsEmpty()) << "b's second in a row; a and c begin anew";
  EXPECT_THAT(names(blame.find(end, with_b)), ElementsAre("b"));
}

TEST(Blame, AnExplainedEndBetweenUnexplainedOnesDoesNotCount) {
  Blame blame;
  for (int i = 0; i < 2; ++i) EXPECT_THAT(blame.find({137, {}, {}}, three_jobs()).culprits, IsEmpty());
  EXPECT_THAT(names(blame.find({139, {killed(2, SIGSEGV)}, {}}, three_jobs())), ElementsAre("b"));
  EXPECT_THAT(names(blame.find({137, {}, {}}, three_jobs())), ElementsAre("a", "b", "c"));
}

class Facts : public testing::Test {
 protected:
  Facts() {
    for (const char* id : {"a", "b", "c"}) {
      specs_[id].id = id;
      specs_[id].resolved = std::string("{\"id\":\"") + id + "\"}";
      table_[id] = &specs_[id];
    }
  }

  // The session as a restart would find it.
  SessionState told(const Finding& finding, SessionState state) {
    std::vector<results::Fact> facts = {{"header", R"({"session":"s"})"}};
    for (const auto& [job, count] : state.attempts) {
      for (int i = 0; i < count; ++i) facts.push_back({"attempt", body_of(AttemptFact{job, i + 1, true, "before"})});
    }
    for (const auto& [job, start] : state.running) facts.push_back({"start", body_of(start)});
    for (results::Fact& fact : facts_of(finding, state, table_, 1)) {
      if (fact.type == "job") records_.push_back(results::job_record_from_json_text(fact.body));
      facts.push_back(std::move(fact));
    }
    return session_of(facts);
  }

  std::map<std::string, tasks::JobSpec> specs_;
  JobTable table_;
  std::vector<results::JobRecord> records_;
};

TEST_F(Facts, ACulpritWithARetryLeftLosesAnAttemptAndBystandersLoseNone) {
  specs_["b"].retries = 1;
  const SessionState after = told(find({139, {killed(2, SIGSEGV)}, {}}), three_jobs());
  EXPECT_THAT(after.running, IsEmpty());
  EXPECT_THAT(after.ended, IsEmpty());
  EXPECT_THAT(after.attempts, ElementsAre(std::pair<const std::string, int>{"b", 1}));
}

TEST_F(Facts, ACulpritWithoutRetriesHasFailedAndItsRecordSaysWhereAndWhy) {
  const SessionState after = told(find({139, {killed(2, SIGSEGV)}, {}}), three_jobs());
  EXPECT_THAT(after.ended, ElementsAre(std::pair<const std::string, results::Status>{"b", results::Status::failed}));
  ASSERT_THAT(records_, SizeIs(1));
  EXPECT_EQ(records_[0].id, "b");
  EXPECT_EQ(records_[0].attempts, 2);
  EXPECT_EQ(records_[0].config, specs_["b"].resolved);
  EXPECT_THAT(records_[0].reason, HasSubstr("SIGSEGV"));
  ASSERT_THAT(records_[0].ranks, SizeIs(1));
  EXPECT_EQ(records_[0].ranks[0].world_rank, 2);
  EXPECT_EQ(records_[0].ranks[0].host, "pi2");
}

TEST_F(Facts, TheLastRetryIsTheLast) {
  specs_["b"].retries = 2;
  SessionState state = three_jobs();
  state.attempts["b"] = 1;
  EXPECT_THAT(told(find({139, {killed(2, SIGSEGV)}, {}}), state).ended, IsEmpty());
  state.attempts["b"] = 2;
  EXPECT_THAT(told(find({139, {killed(2, SIGSEGV)}, {}}), state).ended, SizeIs(1));
}

TEST_F(Facts, AJobThatTheLeaderCalledInterruptedWasAtWorkAndKeepsItsAttempts) {
  results::JobRecord record;
  record.id = "b";
  record.status = results::Status::interrupted;
  const SessionState state = session_of({{"header", R"({"session":"s"})"},
                                         {"attempt", body_of(AttemptFact{"b", 1, true, "before"})},
                                         {"start", body_of(StartFact{"b", 2, {2}, {"pi2"}})},
                                         {"job", results::to_json_text(record)}});
  EXPECT_TRUE(state.running.contains("b"));
  EXPECT_EQ(state.attempts.at("b"), 1);
  EXPECT_THAT(state.ended, IsEmpty());
}

TEST(Verdict, TheLeadersWordEndsTheBatchWhateverMpirunSays) {
  for (const int code : {0, 1, 2, 3}) {
    const MpirunEnd end = code == 0 ? MpirunEnd{0, {}, {}} : MpirunEnd{1, {exited(1, 255), exited(0, code)}, {}};
    const Verdict verdict = verdict_of(end, true, true);
    EXPECT_EQ(verdict.outcome, Outcome::finished) << code;
    EXPECT_EQ(verdict.exit_code, code);
  }
}

TEST(Verdict, ALeaderThatRefusesToBeginHasFinishedAndOneThatFailsInTheMiddleHasNot) {
  const MpirunEnd end{0, {exited(0, 3)}, {}};
  EXPECT_EQ(verdict_of(end, false, false).outcome, Outcome::finished);
  EXPECT_EQ(verdict_of(end, false, true).outcome, Outcome::crashed);
  EXPECT_EQ(verdict_of(end, false, true).exit_code, 3) << "what it said, should no restart help";
}

TEST(Verdict, AnExitCodeOfZeroWithoutAWholeJournalIsACrash) { EXPECT_EQ(verdict_of({0, {}, {}}, false, true).outcome, Outcome::crashed); }

TEST(Verdict, ALeaderThatMpirunToldToEndOnItsWayDownHasNotFinished) {
  EXPECT_EQ(verdict_of({143, {exited(0, 143, true)}, {}}, false, true).outcome, Outcome::crashed);
}

TEST(Verdict, ASignalToTheRanksThemselvesEndsTheBatch) {
  const Verdict verdict = verdict_of({143, {exited(0, 143)}, {}}, false, true);
  EXPECT_EQ(verdict.outcome, Outcome::finished);
  EXPECT_EQ(verdict.exit_code, 143);
}

TEST(Verdict, ADeadLeaderAndADeadMpirunAreCrashes) {
  EXPECT_EQ(verdict_of({139, {killed(0, SIGSEGV)}, {}}, false, true).outcome, Outcome::crashed);
  EXPECT_EQ(verdict_of({137, {}, {}}, false, true).outcome, Outcome::crashed);
  EXPECT_EQ(verdict_of({127, {}, {}}, false, false).outcome, Outcome::crashed);
}

TEST(Verdict, TheLeadersRequestForARestartIsOne) {
  EXPECT_EQ(verdict_of({kRestartWanted, {exited(0, kRestartWanted)}, {}}, false, true).outcome, Outcome::restart_wanted);
  EXPECT_EQ(verdict_of({kHostsWanted, {exited(0, kHostsWanted)}, {}}, false, true).outcome, Outcome::hosts_wanted);
}

}  // namespace
}  // namespace edgelab::batch
