#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "batch/slurm/allocation.hpp"
#include "batch/slurm/batch_script.hpp"
#include "batch/slurm/plan.hpp"
#include "job_file_support.hpp"

namespace edgelab::batch::slurm {
namespace {

using test::Folder;
using test::kDefaults;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

class SlurmPlan : public testing::Test {
 protected:
  std::vector<Submission> planned(const std::string& jobs) {
    const Batch batch = folder_.load("name: lab\n" + kDefaults + "jobs:\n" + jobs, request_.load);
    return plan(batch, request_);
  }
  std::string refused(const std::string& jobs) {
    try {
      planned(jobs);
      return "nothing";
    } catch (const JobFileErrors& errors) {
      return errors.what();
    } catch (const Error& error) {
      return error.what();
    }
  }
  void with_arrays() { request_.arrays = true; }

  Folder folder_;
  Request request_{{"/jobs/lab.yaml"}, {}, "/out/lab.h5", false, {}, false, {}};
};

std::string option(const std::vector<std::string>& arguments, const std::string& name) {
  for (const std::string& each : arguments) {
    if (each.starts_with(name + "=")) return each.substr(name.size() + 1);
  }
  return "none";
}

TEST_F(SlurmPlan, IsOneJobWithTheRanksOfTheWidest) {
  request_.load.set = {"defaults.batch=2"};
  request_.load.only = {"a", "b"};
  request_.resume = true;
  request_.sbatch_options = {"--partition=short"};
  const std::vector<Submission> submissions = planned("  - {id: a}\n  - {id: b, ranks: 3}\n  - {id: c, ranks: 4}\n");
  ASSERT_EQ(submissions.size(), 1u);
  EXPECT_THAT(sbatch_command(submissions[0], {}),
              ElementsAre("sbatch", "--parsable", "--job-name=lab", "--ntasks=3", "--output=/out/slurm-%j.out",
                          "--partition=short", "/dev/stdin", "/jobs/lab.yaml", "--set=defaults.batch=2",
                          "--out=/out/lab.h5", "--resume", "--only=a", "--only=b"));
  EXPECT_EQ(submissions[0].results, "/out/lab.h5");
}

TEST_F(SlurmPlan, TakesTheRanksThatItIsGivenAndNamesEveryJobThatIsWider) {
  request_.ranks = 8;
  EXPECT_THAT(planned("  - {id: a}\n")[0].options, Contains("--ntasks=8"));
  request_.ranks = 1;
  const std::string errors = refused("  - {id: a, ranks: 2}\n  - {id: b}\n  - {id: c, ranks: 3}\n");
  EXPECT_THAT(errors,
              HasSubstr("job a asks for more ranks than --ranks gives (got 2 ranks asked, expected at most 1)"));
  EXPECT_THAT(errors, HasSubstr("job c"));
  EXPECT_THAT(errors, Not(HasSubstr("job b")));
}

TEST_F(SlurmPlan, MakesAnArrayOfASweepWithATaskForEachMember) {
  with_arrays();
  const std::vector<Submission> submissions =
      planned("  - {id: g, matrix: {batch: [1, 2, 4], seed: [0, 1]}, max_parallel: 2, ranks: 2}\n");
  ASSERT_EQ(submissions.size(), 1u);
  EXPECT_THAT(sbatch_command(submissions[0], {}),
              ElementsAre("sbatch", "--parsable", "--job-name=lab.g", "--ntasks=2", "--output=/out/slurm-%A_%a.out",
                          "--array=0-5%2", "/dev/stdin", "/jobs/lab.yaml", "--out=/out/lab.g.%a.h5", "--needs-met",
                          "--only=g[#%a]"));
  EXPECT_EQ(submissions[0].results, "/out/lab.g.%a.h5");
  EXPECT_EQ(submissions[0].title, "lab: g (6 tasks)");
}

TEST_F(SlurmPlan, NumbersTheTasksByTheWholeSweepWhereOnlySomeAreWanted) {
  with_arrays();
  request_.load.only = {"g[batch=1]", "g[batch=2]", "g[batch=8]"};
  const std::vector<Submission> submissions = planned("  - {id: g, matrix: {batch: [1, 2, 4, 8]}}\n");
  ASSERT_EQ(submissions.size(), 1u);
  EXPECT_EQ(option(submissions[0].options, "--array"), "0-1,3");
}

TEST_F(SlurmPlan, LetsJobsWaitForWhatTheyNeed) {
  with_arrays();
  const std::vector<Submission> submissions = planned(
      "  - {id: last, needs: [g, h]}\n  - {id: g, needs: [first], matrix: {batch: [1, 2]}}\n  - {id: h, matrix: "
      "{batch: [3]}}\n"
      "  - {id: first}\n  - {id: alone}\n");
  std::vector<std::string> names;
  for (const Submission& each : submissions) names.push_back(option(each.options, "--job-name"));
  ASSERT_THAT(names, ElementsAre("lab.first", "lab.g", "lab.h", "lab.last", "lab.alone"));
  EXPECT_THAT(submissions[0].after, IsEmpty());
  EXPECT_THAT(submissions[1].after, ElementsAre(0));
  EXPECT_THAT(submissions[2].after, IsEmpty());
  EXPECT_THAT(submissions[3].after, ElementsAre(1, 2));
  EXPECT_THAT(submissions[4].after, IsEmpty());
  const std::vector<std::string> command = sbatch_command(submissions[3], {"10", "11", "12"});
  EXPECT_EQ(option(command, "--dependency"), "afterok:11:12");
  EXPECT_EQ(option(command, "--kill-on-invalid-dep"), "yes");
  EXPECT_EQ(option(command, "--only"), "last");
  EXPECT_THAT(command, Contains("--needs-met"));
  EXPECT_EQ(option(command, "--out"), "/out/lab.last.h5");
}

TEST_F(SlurmPlan, KeepsJobsThatReferToOneAnotherInOneRun) {
  with_arrays();
  const std::vector<Submission> submissions = planned(
      "  - {id: serial}\n  - {id: other}\n"
      "  - {id: wide, ranks: 4, needs: [serial], expect: [{speedup_over: {job: serial, at_least: 1}}]}\n");
  ASSERT_EQ(submissions.size(), 2u);
  EXPECT_THAT(submissions[0].arguments,
              ElementsAre("/jobs/lab.yaml", "--out=/out/lab.serial.h5", "--needs-met", "--only=serial", "--only=wide"));
  EXPECT_THAT(submissions[0].options, Contains("--ntasks=4"));
  EXPECT_THAT(submissions[0].after, IsEmpty());
}

TEST_F(SlurmPlan, RunsWhatASweepIsComparedWithInEachOfItsTasks) {
  with_arrays();
  const std::vector<Submission> submissions = planned(
      "  - {id: warm}\n  - {id: base, ranks: 2, needs: [warm]}\n"
      "  - {id: g, needs: [base], matrix: {batch: [1, 2]}, expect: [{speedup_over: {job: base, at_least: 1}}]}\n");
  ASSERT_EQ(submissions.size(), 3u);
  EXPECT_EQ(option(submissions[2].options, "--array"), "0-1");
  EXPECT_THAT(submissions[2].options, Contains("--ntasks=2"));
  EXPECT_THAT(submissions[2].after, ElementsAre(0)) << "base runs there, so only what base waits for is waited for";
}

TEST_F(SlurmPlan, RefusesWhatArraysCannotExpress) {
  with_arrays();
  const std::string sweep = "  - {id: g, matrix: {batch: [1, 2]}}\n";
  EXPECT_THAT(refused(sweep + "  - {id: z, needs: [g], expect: [{speedup_over: {job: 'g[batch=1]', at_least: 1}}]}\n"),
              HasSubstr("j.yaml:5:5: error: \"z\" refers to \"g[batch=1]\", which runs in an array task of its own and "
                        "leaves it nothing; submit it "
                        "without --array"));
  EXPECT_THAT(refused(sweep + "  - {id: s, on_failure: stop}\n"),
              HasSubstr("\"s\" says on_failure: stop, which job arrays can't do"));
  EXPECT_THAT(refused("  - {id: t, task: train, data: {dataset: shapes10}}\n"
                      "  - {id: g, needs: [t], matrix: {batch: [1, 2]}, model: {weights: {job: t}}}\n"),
              HasSubstr("the sweep \"g\" builds on \"t\", which each of its array tasks would do over again"));
  EXPECT_THAT(refused("  - {id: a}\n  - {id: g, needs: [a], matrix: {batch: [1, 2]}}\n"
                      "  - {id: c, needs: [a, g], expect: [{speedup_over: {job: a, at_least: 1}}]}\n"),
              HasSubstr("\"a\" → \"g\" → \"a\" would wait for one another"));
  request_.files = {"/jobs/%a.yaml"};
  EXPECT_THAT(refused(sweep), HasSubstr("%a may stand in no name"));
}

TEST_F(SlurmPlan, TellsOfASweepThatCannotBeAnArrayOnce) {
  with_arrays();
  const std::string errors = refused("  - {id: g, on_failure: stop, matrix: {batch: [1, 2, 3]}}\n");
  EXPECT_EQ(std::count(errors.begin(), errors.end(), '\n'), 0) << errors;
}

TEST_F(SlurmPlan, GivesLessUrgentJobsANiceValue) {
  with_arrays();
  const std::vector<Submission> submissions =
      planned("  - {id: a}\n  - {id: b, priority: 5}\n  - {id: c, priority: -2}\n");
  ASSERT_EQ(submissions.size(), 3u);
  EXPECT_EQ(option(submissions[0].options, "--nice"), "5");
  EXPECT_EQ(option(submissions[1].options, "--nice"), "none");
  EXPECT_EQ(option(submissions[2].options, "--nice"), "7");
}

TEST_F(SlurmPlan, GivesEveryUnitAFileOfItsOwnWhateverTheIdsAre) {
  with_arrays();
  const std::vector<Submission> submissions = planned("  - {id: a/b}\n  - {id: a b}\n  - {id: '%j $(x)'}\n");
  ASSERT_EQ(submissions.size(), 3u);
  EXPECT_EQ(submissions[0].results, "/out/lab.a_b.h5");
  EXPECT_EQ(submissions[1].results, "/out/lab.a_b-2.h5");
  EXPECT_EQ(submissions[2].results, "/out/lab._j___x_.h5");
  EXPECT_THAT(submissions[2].options, Contains("--job-name=lab._j___x_"));
  EXPECT_THAT(submissions[2].arguments, Contains("--only=%j $(x)"))
      << "an argument, which nothing reads as anything else";
}

TEST_F(SlurmPlan, EscapesAPercentSignInTheFolder) {
  request_.out = "/my %j/lab.h5";
  EXPECT_THAT(planned("  - {id: a}\n")[0].options, Contains("--output=/my %%j/slurm-%j.out"));
}

TEST_F(SlurmPlan, PutsTheUsersOptionsLastButForTheDependencies) {
  with_arrays();
  request_.sbatch_options = {"--ntasks=9", "--dependency=singleton"};
  const std::vector<Submission> submissions = planned("  - {id: a}\n  - {id: b, needs: [a]}\n");
  const std::vector<std::string> command = sbatch_command(submissions[1], {"7"});
  const auto at = [&](const std::string& text) {
    return std::find(command.begin(), command.end(), text) - command.begin();
  };
  EXPECT_LT(at("--ntasks=1"), at("--ntasks=9"));
  EXPECT_LT(at("--dependency=singleton"), at("--dependency=afterok:7"));
  EXPECT_LT(at("--dependency=afterok:7"), at("/dev/stdin"));
}

TEST(SlurmBatchScript, IsInTheBinary) {
  EXPECT_THAT(std::string(batch_script()), StartsWith("#!/usr/bin/env bash\n#SBATCH --requeue\n"));
  EXPECT_LT(batch_script().size(), 60'000u);
}

TEST(SlurmAllocation, TasksOfNodesAreReadAsSlurmWritesThem) {
  EXPECT_EQ(tasks_of_nodes("4"), (std::vector<int>{4}));
  EXPECT_EQ(tasks_of_nodes("2(x3),1"), (std::vector<int>{2, 2, 2, 1}));
  EXPECT_EQ(tasks_of_nodes("1,16(x2)"), (std::vector<int>{1, 16, 16}));
  for (const char* text : {"", "0", "-1", "2(x3", "2(x)", "2(x3)1", "2,", "two", "1(x999999999)", "2(x99999999999999)"}) {
    EXPECT_EQ(tasks_of_nodes(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace edgelab::batch::slurm
