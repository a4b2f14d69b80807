#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "job_file_support.hpp"

namespace edgelab::batch {
namespace {

using test::Folder;
using test::ids_of;
using test::kDefaults;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string sweep(const std::string& keys) { return kDefaults + "jobs:\n  - id: g\n    " + keys + "\n"; }

TEST(JobFileSweep, GivesAJobForEveryCombinationThatIsNotExcluded) {
  const Batch batch =
      Folder().load(sweep("matrix: {precision: [fp32, bf16, int8], attention: [naive, flash]}\n    exclude: "
                          "[{precision: int8, attention: naive}]\n    max_parallel: 2"));
  EXPECT_THAT(ids_of(batch), ElementsAre("g[precision=fp32,attention=naive]", "g[precision=fp32,attention=flash]",
                                         "g[precision=bf16,attention=naive]", "g[precision=bf16,attention=flash]",
                                         "g[precision=int8,attention=flash]"));
  EXPECT_EQ(batch.jobs[4].precision, tasks::Precision::int8);
  EXPECT_EQ(batch.jobs[4].attention, tasks::Attention::flash);
  for (const tasks::JobSpec& job : batch.jobs) {
    EXPECT_EQ(job.sweep, "g");
    EXPECT_EQ(job.max_parallel, 2);
  }
}

TEST(JobFileSweep, KeysMayBeDottedAndValuesMapsAndIdsHoldThemAsWritten) {
  const Batch batch =
      Folder().load(sweep("ranks: 2\n    matrix: {quantize.weights: [int8, int4], parallel: [{strategy: pipeline, "
                          "partition: [1, 2]}, {tensor: 2}]}"));
  EXPECT_THAT(ids_of(batch), ElementsAre("g[quantize.weights=int8,parallel={strategy: pipeline, partition: [1, 2]}]",
                                         "g[quantize.weights=int8,parallel={tensor: 2}]",
                                         "g[quantize.weights=int4,parallel={strategy: pipeline, partition: [1, 2]}]",
                                         "g[quantize.weights=int4,parallel={tensor: 2}]"));
  EXPECT_EQ(batch.jobs[2].quantize->weights, tasks::WeightBits::int4);
  EXPECT_EQ(batch.jobs[3].parallel.tensor, 2);
  EXPECT_THAT(ids_of(Folder().load(sweep("matrix: {train.optimizer.lr: [1e-3, 0.010]}"))),
              ElementsAre("g[train.optimizer.lr=1e-3]", "g[train.optimizer.lr=0.010]"));
}

TEST(JobFileSweep, AMatrixMayComeFromTheDefaults) {
  const Batch batch = Folder().load(
      "defaults: {task: bench, model: {arch: mobilenet_v2}, matrix: {batch: [1, 2]}}\njobs: [{id: a}, {id: b, matrix: "
      "{seed: [3]}}]\n");
  EXPECT_THAT(ids_of(batch), ElementsAre("a[batch=1]", "a[batch=2]", "b[batch=1,seed=3]", "b[batch=2,seed=3]"));
}

TEST(JobFileSweep, FaultsAreToldAtTheirPlaces) {
  const Folder folder;
  EXPECT_EQ(folder.errors(sweep("matrix: {modle.arch: [x]}")),
            "j.yaml:4:14: error: unknown key \"modle.arch\" in the matrix; did you mean \"model.arch\"?");
  EXPECT_EQ(folder.errors(sweep("matrix: {batch: 3}")),
            "j.yaml:4:21: error: \"jobs.matrix.batch\" has the wrong type (got 3, expected a list of values)");
  EXPECT_EQ(
      folder.errors(sweep("matrix: {batch: []}")),
      "j.yaml:4:21: error: \"jobs.matrix.batch\" has the wrong type (got an empty list, expected a list of values)");
  EXPECT_EQ(folder.errors(sweep("matrix: {batch: [1, x]}")),
            "j.yaml:4:25: error: \"batch\" has the wrong type (got x, expected a whole number from 1 to 1,000,000)");
  EXPECT_EQ(folder.errors(sweep("matrix: {batch: [1, 1]}")),
            "j.yaml:4:25: error: \"jobs.matrix.batch\" lists a value twice (got 1)");
  EXPECT_EQ(folder.errors(sweep("matrix: {data: {limit: [1]}}")),
            "j.yaml:4:20: error: \"jobs.matrix.data\" has the wrong type (got a map, expected a list of values); write "
            "the keys with dots: data.KEY: [A, B]");
  EXPECT_EQ(folder.errors(sweep("matrix: {needs: [g]}")), "j.yaml:4:14: error: \"needs\" can't be varied by a matrix");
  EXPECT_EQ(folder.errors(sweep("matrix: {batch: [1, 2]}\n    exclude: [{bacth: 1}]")),
            "j.yaml:5:16: error: \"bacth\" is not a key of the matrix; did you mean \"batch\"?");
  EXPECT_EQ(folder.errors(sweep("matrix: {batch: [1, 2]}\n    exclude: [{batch: 3}]")),
            "j.yaml:5:23: error: the matrix gives \"batch\" no such value (got 3, expected one of [1, 2])");
  EXPECT_EQ(folder.errors(sweep("matrix: {batch: [1, 2]}\n    exclude: [{batch: 1}, {batch: 2}]")),
            "j.yaml:5:14: error: every combination of the matrix is excluded");
}

TEST(JobFileSweep, ATooLargeOneIsRefusedBeforeItIsMade) {
  std::string values = "[1";
  for (int i = 2; i <= 200; ++i) values += ", " + std::to_string(i);
  values += "]";
  EXPECT_EQ(Folder().errors(sweep("matrix: {batch: " + values + ", seed: " + values + "}")),
            "j.yaml:4:13: error: the sweep has too many combinations (expected at most 10,000)");
  EXPECT_EQ(Folder().load(sweep("matrix: {batch: " + values + ", data.resize: [1, 2]}")).jobs.size(), 400u);
}

TEST(JobFileNeeds, OfASweepMeanAllItsMembersAndAMemberMayBeNamed) {
  const std::string jobs =
      kDefaults +
      "jobs:\n  - {id: g, matrix: {batch: [1, 2]}}\n  - {id: all, needs: [g]}\n"
      "  - {id: one, needs: ['g[batch=2]'], expect: [{speedup_over: {job: 'g[batch=2]', at_least: 0}}]}\n";
  const Batch batch = Folder().load(jobs);
  EXPECT_THAT(batch.jobs[2].needs, ElementsAre("g[batch=1]", "g[batch=2]"));
  EXPECT_THAT(batch.jobs[3].needs, ElementsAre("g[batch=2]"));
  EXPECT_EQ(batch.jobs[3].expect[0].job, "g[batch=2]");
}

TEST(JobFileNeeds, UnknownJobsCyclesAndTooManyAreErrors) {
  const Folder folder;
  EXPECT_EQ(folder.errors(kDefaults + "jobs:\n  - {id: serial}\n  - {id: b, needs: [seriel]}\n"),
            "j.yaml:4:21: error: no job has the id \"seriel\"; did you mean \"serial\"?");
  EXPECT_EQ(folder.errors(kDefaults + "jobs:\n  - {id: a, needs: [c]}\n  - {id: b, needs: [a]}\n  - {id: c, needs: "
                                      "[b]}\n  - {id: d, needs: [d]}\n"),
            "j.yaml:3:20: error: jobs wait for one another in a circle: a → c → b → a; remove one of these needs\n"
            "j.yaml:6:20: error: jobs wait for one another in a circle: d → d; remove one of these needs");
  std::string values = "[1";
  for (int i = 2; i <= 500; ++i) values += ", " + std::to_string(i);
  EXPECT_THAT(folder.errors(kDefaults + "jobs:\n  - {id: a, matrix: {seed: " + values +
                            "]}}\n  - {id: b, needs: [a], matrix: {seed: " + values + "]}}\n"),
              HasSubstr("j.yaml:4:21: error: the jobs need one another in too many ways"));
}

TEST(JobFileNeeds, AJobReferredToMustBeNeededDirectly) {
  const Folder folder;
  const std::string start =
      kDefaults + "jobs:\n  - {id: a}\n  - {id: b, needs: [a]}\n  - {id: s, matrix: {batch: [1]}}\n";
  EXPECT_EQ(folder.errors(start + "  - {id: c, needs: [b], expect: [{outputs_match: {job: a, rtol: 1}}]}\n"),
            "j.yaml:6:56: error: \"a\" is not among the needs of \"c\"; add it: needs: [a]");
  EXPECT_EQ(folder.errors(start + "  - {id: c, model: {weights: {job: a}}}\n"),
            "j.yaml:6:36: error: \"a\" is not among the needs of \"c\"; add it: needs: [a]");
  EXPECT_EQ(folder.errors(start + "  - {id: c, train: {distill: {teacher: {weights: {job: nobody}}}}}\n"),
            "j.yaml:6:56: error: no job has the id \"nobody\"");
  EXPECT_EQ(folder.errors(start + "  - {id: c, needs: [s], model: {weights: {job: s}}}\n"),
            "j.yaml:6:48: error: \"s\" is a sweep, and one job is meant here; name a member, as in s[KEY=VALUE]");
}

TEST(JobFileOnly, TakesJobsSweepsOrMembersWithAllThatTheyNeed) {
  const std::string text =
      kDefaults +
      "jobs:\n  - {id: a}\n  - {id: b, needs: [a]}\n  - {id: g, needs: [b], matrix: {batch: [1, 2]}}\n  - {id: z}\n";
  const auto only = [&](const std::vector<std::string>& ids) {
    return ids_of(Folder().load(text, {.set = {}, .only = ids}));
  };
  EXPECT_THAT(only({"b"}), ElementsAre("a", "b"));
  EXPECT_THAT(only({"g[batch=2]"}), ElementsAre("a", "b", "g[batch=2]"));
  EXPECT_THAT(only({"g", "z"}), ElementsAre("a", "b", "g[batch=1]", "g[batch=2]", "z"));
  EXPECT_EQ(Folder().errors(text, {.set = {}, .only = {"zz"}}),
            "--only zz: error: no job has the id \"zz\"; did you mean \"z\"?");
}

TEST(JobFileOnly, TakesAMemberByItsNumber) {
  const Folder folder;
  const std::string text = kDefaults + "jobs:\n  - {id: g, matrix: {batch: [4, 8, 16]}}\n  - {id: a}\n";
  const auto only = [&](const std::string& id) { return LoadOptions{.set = {}, .only = {id}}; };
  const Batch batch = folder.load(text, only("g[#2]"));
  EXPECT_THAT(ids_of(batch), ElementsAre("g[batch=16]"));
  EXPECT_EQ(batch.origins[0].place_in_sweep, 2u);
  EXPECT_EQ(folder.errors(text, only("g[#3]")),
            "--only g[#3]: error: the sweep \"g\" has no such member (got #3, expected #0 to #2)");
  for (const char* id : {"a[#0]", "g[#-1]", "g[#x]", "g[#]", "g[#1] ", "[#0]"}) {
    EXPECT_THAT(folder.errors(text, only(id)), HasSubstr("no job has the id")) << id;
  }
}

TEST(JobFileOnly, WithNeedsMetTakesOnlyWhatAJobRefersTo) {
  const std::string text =
      kDefaults +
      "jobs:\n  - {id: warm}\n  - {id: base, needs: [warm]}\n  - {id: other}\n"
      "  - {id: g, needs: [base, other], matrix: {batch: [1, 2]}, expect: [{speedup_over: {job: base, at_least: 0.1}}]}\n"
      "  - {id: z, needs: [g]}\n";
  const auto met = [&](const std::string& id) {
    return Folder().load(text, {.set = {}, .only = {id}, .needs_met = true});
  };
  const Batch batch = met("g[#1]");
  EXPECT_THAT(ids_of(batch), ElementsAre("base", "g[batch=2]"));
  EXPECT_THAT(batch.jobs[0].needs, IsEmpty());
  EXPECT_THAT(batch.jobs[1].needs, ElementsAre("base"));
  EXPECT_THAT(batch.origins[1].refers_to, ElementsAre(0));
  EXPECT_THAT(ids_of(met("z")), ElementsAre("z"));
  EXPECT_EQ(ids_of(Folder().load(batch.resolved)), ids_of(batch)) << batch.resolved;
}

}  // namespace
}  // namespace edgelab::batch
