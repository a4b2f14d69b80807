#include "batch/session.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "results/json/record_json.hpp"

namespace edgelab::batch {
namespace {

using results::Fact;
using results::JobRecord;
using results::Status;

Fact ended(const std::string& job, Status status) {
  JobRecord record;
  record.id = job;
  record.status = status;
  return {"job", results::to_json_text(record)};
}

TEST(Session, WhatStartedAndDidNotEndIsAtWork) {
  const StartFact a{"a", 1, {0, 2}, {"pi1", "pi2"}}, b{"b", 3, {1}, {"pi1"}};
  const SessionState state = session_of({{"header", R"({"session":"s"})"}, {"start", body_of(a)}, {"start", body_of(b)}, ended("b", Status::done)});
  EXPECT_EQ(state.id, "s");
  ASSERT_EQ(state.running.size(), 1u);
  EXPECT_EQ(state.running.at("a"), a);
  EXPECT_EQ(state.ended.at("b"), Status::done);
}

TEST(Session, KnowsWhatARankOfTheLastRunWorkedForLast) {
  const Fact start_a{"start", body_of(StartFact{"a", 1, {0, 2}, {"pi1", "pi2"}})}, start_b{"start", body_of(StartFact{"b", 1, {0}, {"pi1"}})};
  std::vector<Fact> facts = {{"header", R"({"session":"s"})"}, start_a, ended("a", Status::done), start_b};
  EXPECT_EQ(session_of(facts).last_job, (std::map<int, std::string>{{0, "b"}, {2, "a"}}));
  facts.push_back({"header", "{}"});
  EXPECT_TRUE(session_of(facts).last_job.empty());
}

TEST(Session, AttemptsOfBystandersAreNotHeldAgainstThem) {
  const SessionState state = session_of({{"header", R"({"session":"s"})"},
                                         {"attempt", body_of(AttemptFact{"culprit", 1, true, "SIGSEGV"})},
                                         {"attempt", body_of(AttemptFact{"bystander", 1, false, "another job crashed"})}});
  EXPECT_EQ(state.attempts.at("culprit"), 1);
  EXPECT_EQ(state.attempts.count("bystander"), 0u);
}

TEST(Session, ARestartWithinItGoesOnAndANewOneKeepsOnlyWhatJoined) {
  std::vector<Fact> facts = {{"header", R"({"session":"s"})"},
                             {"added", body_of(AddedFact{"more.yaml", "jobs: []"})},
                             {"cancelled", cancelled_body("c")},
                             {"drained", drained_body("pi3", true)},
                             ended("f", Status::failed),
                             {"header", R"({"session":"s"})"}};
  SessionState state = session_of(facts);
  EXPECT_EQ(state.ended.at("f"), Status::failed);
  EXPECT_EQ(state.cancelled.count("c"), 1u);
  EXPECT_EQ(state.drained.count("pi3"), 1u);
  facts.push_back({"header", R"({"session":"t"})"});
  state = session_of(facts);
  EXPECT_TRUE(state.ended.empty());
  EXPECT_TRUE(state.cancelled.empty());
  EXPECT_TRUE(state.drained.empty());
  ASSERT_EQ(state.added.size(), 1u);
  EXPECT_EQ(state.added[0].name, "more.yaml");
}

TEST(Session, WhatJoinedItIsToldFromWhatJoinedEarlierOnes) {
  const Fact early{"added", body_of(AddedFact{"early.yaml", "jobs: []"})}, late{"added", body_of(AddedFact{"late.yaml", "jobs: []"})};
  const Fact s{"header", R"({"session":"s"})"}, t{"header", R"({"session":"t"})"};
  EXPECT_EQ(session_of({s, early, s}).added_before, 0u);
  const SessionState state = session_of({s, early, t, late, t});
  EXPECT_EQ(state.added_before, 1u);
  ASSERT_EQ(state.added.size(), 2u);
  EXPECT_EQ(state.added[1].name, "late.yaml");
}

TEST(Session, AnOlderJournalHasItsNameBehindTheHeader) {
  const SessionState state = session_of({{"header", "{}"}, {"session", R"({"id":"old"})"}, ended("f", Status::failed)});
  EXPECT_EQ(state.id, "old");
  EXPECT_EQ(state.ended.count("f"), 1u);
}

TEST(Session, ADrainThatIsTakenBackIsNone) {
  EXPECT_TRUE(session_of({{"drained", drained_body("pi3", true)}, {"drained", drained_body("pi3", false)}}).drained.empty());
}

TEST(Session, AFactOfTheWrongFormIsAnErrorAndUnknownOnesArePassedOver) {
  EXPECT_THROW(session_of({{"start", "{\"job\": 7}"}}), Error);
  EXPECT_NO_THROW(session_of({{"something else", "7"}}));
}

}  // namespace
}  // namespace edgelab::batch
