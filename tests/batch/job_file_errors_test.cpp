#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "job_file_support.hpp"

namespace edgelab::batch {
namespace {

using test::Folder;
using test::kDefaults;

TEST(JobFileErrors, AnUnknownKeyIsNamedWithItsPlaceAndTheNearestKnownOne) {
  const Folder folder;
  EXPECT_EQ(folder.errors(kDefaults + "jobs:\n  - {id: a, bacth: 8}\n"),
            "j.yaml:3:13: error: unknown key \"jobs.bacth\"; did you mean \"batch\"?");
  EXPECT_EQ(folder.errors(kDefaults + "jobs:\n  - id: a\n    data: {limt: 8}\n"),
            "j.yaml:4:12: error: unknown key \"jobs.data.limt\"; did you mean \"limit\"?");
  EXPECT_EQ(folder.errors("jbos: []\n" + kDefaults + "jobs: [{id: a}]\n"),
            "j.yaml:1:1: error: unknown key \"jbos\"; did you mean \"jobs\"?");
}

TEST(JobFileErrors, AKeyPutAtTheWrongDepthIsToldWhereItBelongs) {
  EXPECT_EQ(Folder().errors(kDefaults + "jobs:\n  - id: a\n    limit: 8\n"),
            "j.yaml:4:5: error: unknown key \"jobs.limit\"; did you mean \"data.limit\"?");
}

TEST(JobFileErrors, AKeyLikeNoOtherGetsTheListOfKnownOnes) {
  EXPECT_EQ(Folder().errors(kDefaults + "jobs:\n  - id: a\n    measure: {zzzzzz: 8}\n"),
            "j.yaml:4:15: error: unknown key \"jobs.measure.zzzzzz\"; known here: warmup, repeats");
}

struct BadValue {
  const char* line;  // of the job, at line 3, column 5 on
  const char* message;
};

class BadValues : public ::testing::TestWithParam<BadValue> {};

TEST_P(BadValues, AreToldWithPlaceWhatWasGotAndWhatWasExpected) {
  EXPECT_EQ(Folder().errors(kDefaults + "jobs:\n  - " + GetParam().line + "\n    id: a\n"),
            std::string("j.yaml:3:") + GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    WrongTypes, BadValues,
    ::testing::Values(
        BadValue{"ranks: two",
                 "12: error: \"jobs.ranks\" has the wrong type (got two, expected a whole number from 1 to 65,536)"},
        BadValue{"ranks: \"2\"",
                 "12: error: \"jobs.ranks\" has the wrong type (got the text \"2\", expected a whole number from 1 to "
                 "65,536)"},
        BadValue{"ranks: 2.0",
                 "12: error: \"jobs.ranks\" has the wrong type (got 2.0, expected a whole number from 1 to 65,536)"},
        BadValue{"ranks: 010",
                 "12: error: \"jobs.ranks\" has the wrong type (got 010, expected a whole number from 1 to 65,536)"},
        BadValue{"ranks:",
                 "5: error: \"jobs.ranks\" has the wrong type (got nothing, expected a whole number from 1 to 65,536)"},
        BadValue{"ranks: [1]",
                 "12: error: \"jobs.ranks\" has the wrong type (got a list, expected a whole number from 1 to 65,536)"},
        BadValue{
            "measure: 5",
            "14: error: \"jobs.measure\" has the wrong type (got 5, expected a map with the keys warmup, repeats)"},
        BadValue{"keep_logits: maybe",
                 "18: error: \"jobs.keep_logits\" has the wrong type (got maybe, expected true or false)"},
        BadValue{"keep_logits: \"true\"",
                 "18: error: \"jobs.keep_logits\" has the wrong type (got the text \"true\", expected true or false)"},
        BadValue{"time_limit: 10",
                 "17: error: \"jobs.time_limit\" has the wrong type (got 10, expected a duration such as 12ms, 1.5s or "
                 "10m); add the unit, as in 10ms"},
        BadValue{"memory_limit: 2 apples",
                 "19: error: \"jobs.memory_limit\" has the wrong type (got 2 apples, expected a size such as 512MiB or "
                 "2GB)"},
        BadValue{"device: []",
                 "13: error: \"jobs.device\" has the wrong type (got a list, expected one of cpu, cuda, or a list, not "
                 "empty, of one of cpu, cuda)"},
        BadValue{"expect: {top1_at_least: 0.5}",
                 "13: error: \"jobs.expect\" has the wrong type (got a map, expected a list of a map with one of the "
                 "keys outputs_match, "
                 "speedup_over, latency_speedup_over, layer_speedup_over, top1_at_least, top1_drop_at_most, latency_p50_at_most, "
                 "model_bytes_at_most)"},
        BadValue{"train: {trainable: \"last:x\"}",
                 "24: error: \"jobs.train.trainable\" has the wrong type (got the text \"last:x\", expected all, head, "
                 "last:N or lora, or a map with the keys lora)"},
        BadValue{"train: {reset: lora}",
                 "20: error: \"jobs.train.reset\" has the wrong type (got lora, expected all, head or last:N)"},
        BadValue{"train: {early_stopping: 3}",
                 "29: error: \"jobs.train.early_stopping\" has the wrong type (got 3, expected a map with the keys "
                 "patience)"},
        BadValue{"train: {validate: test}",
                 "23: error: \"jobs.train.validate\" has the wrong type (got test, expected a map with the keys dataset, "
                 "path, split, limit, per_class, shuffle, resize, interpolation)"},
        BadValue{"checkpoint: {every: often}",
                 "25: error: \"jobs.checkpoint.every\" has the wrong type (got often, expected 2 epochs, 500 steps or "
                 "a duration such as 10m)"}));

INSTANTIATE_TEST_SUITE_P(
    OutOfRange, BadValues,
    ::testing::Values(
        BadValue{"ranks: 0",
                 "12: error: \"jobs.ranks\" is out of range (got 0, expected a whole number from 1 to 65,536)"},
        BadValue{"retries: -1",
                 "14: error: \"jobs.retries\" is out of range (got -1, expected a whole number from 0 to 1,000)"},
        BadValue{"prune: {sparsity: 1.5}",
                 "23: error: \"jobs.prune.sparsity\" is out of range (got 1.5, expected a number from 0 to 1)"},
        BadValue{"model: {width_mult: 0}",
                 "25: error: \"jobs.model.width_mult\" is out of range (got 0, expected a number above 0 up to 16)"},
        BadValue{
            "time_limit: 0s",
            "17: error: \"jobs.time_limit\" is out of range (got 0s, expected a duration such as 12ms, 1.5s or 10m)"},
        BadValue{"train: {label_smoothing: 1.1}",
                 "30: error: \"jobs.train.label_smoothing\" is out of range (got 1.1, expected a number from 0 to 1)"},
        BadValue{"train: {accumulate: 0}",
                 "25: error: \"jobs.train.accumulate\" is out of range (got 0, expected a whole number from 1 to 65,536)"},
        BadValue{"train: {ema: 2}",
                 "18: error: \"jobs.train.ema\" is out of range (got 2, expected a number from 0 to 1)"},
        BadValue{"checkpoint: {keep: 0}",
                 "24: error: \"jobs.checkpoint.keep\" is out of range (got 0, expected a whole number from 1 to "
                 "1,000,000)"},
        BadValue{"checkpoint: {every: 0m}",
                 "25: error: \"jobs.checkpoint.every\" has the wrong type (got 0m, expected 2 epochs, 500 steps or a "
                 "duration such as 10m)"},
        BadValue{"seed: 9223372036854775808",
                 "11: error: \"jobs.seed\" has the wrong type (got 9223372036854775808, expected a whole number from 0 "
                 "up)"}));

INSTANTIATE_TEST_SUITE_P(
    NotFiniteNumbers, BadValues,
    ::testing::Values(
        BadValue{"prune: {sparsity: .nan}",
                 "23: error: \"jobs.prune.sparsity\" has the wrong type (got .nan, expected a number from 0 to 1)"},
        BadValue{"prune: {sparsity: nan}",
                 "23: error: \"jobs.prune.sparsity\" has the wrong type (got nan, expected a number from 0 to 1)"},
        BadValue{"prune: {sparsity: .inf}",
                 "23: error: \"jobs.prune.sparsity\" has the wrong type (got .inf, expected a number from 0 to 1)"},
        BadValue{"prune: {sparsity: 1e999}",
                 "23: error: \"jobs.prune.sparsity\" has the wrong type (got 1e999, expected a number from 0 to 1)"}));

INSTANTIATE_TEST_SUITE_P(
    UnknownChoices, BadValues,
    ::testing::Values(BadValue{"precision: fp23",
                               "16: error: \"jobs.precision\" has an unknown value (got fp23, expected one of fp32, tf32, "
                               "bf16, int8, mixed); did you mean \"fp32\"?"},
                      BadValue{"parallel: {strategy: pipelin}",
                               "26: error: \"jobs.parallel.strategy\" has an unknown value (got pipelin, expected one "
                               "of pipeline, tensor, sequence, data, auto); did you mean \"pipeline\"?"},
                      BadValue{"device: [cpu, tpu]",
                               "19: error: \"jobs.device\" has an unknown value (got tpu, expected one of cpu, cuda); "
                               "did you mean \"cpu\"?"}));

INSTANTIATE_TEST_SUITE_P(
    KeysThatDisagree, BadValues,
    ::testing::Values(
        BadValue{
            "parallel: {strategy: pipeline, pipeline: 2}",
            "36: error: \"jobs.parallel.pipeline\" stands instead of \"strategy\", not beside it; remove one of them"},
        BadValue{"parallel: {pipeline: 2, tensor: 2}",
                 "15: error: the ways of \"parallel\" must multiply to the job's ranks (got 4, expected 1, as "
                 "\"ranks\" says)"},
        BadValue{"parallel: {strategy: pipeline, partition: [3, 3]}",
                 "47: error: \"parallel.partition\" must name every stage once (got 2 counts, expected 1)"},
        BadValue{"prune: {sparsity: 0.5, flops: 0.5}",
                 "28: error: \"jobs.prune.flops\" stands instead of \"sparsity\", not beside it; remove one of them"}));

TEST(JobFileErrors, AnExpectationHasOneKeyAndAllThatItNeeds) {
  const Folder folder;
  const std::string start = kDefaults + "jobs:\n  - id: a\n    expect:\n      - ";
  EXPECT_EQ(
      folder.errors(start + "{top1_at_least: 0.5, latency_p50_at_most: 12ms}\n"),
      "j.yaml:5:9: error: an item of \"jobs.expect\" must have one key (got 2); begin each with a dash of its own");
  EXPECT_EQ(folder.errors(start + "outputs_match: {rtol: 1e-3}\n"),
            "j.yaml:5:24: error: \"jobs.expect.outputs_match\" has no \"job\"; add job: the id of a job");
}

TEST(JobFileErrors, MissingIdsAndTasksAreToldAtTheJob) {
  const Folder folder;
  EXPECT_EQ(folder.errors(kDefaults + "jobs:\n  - {batch: 1}\n"),
            "j.yaml:3:5: error: an item of \"jobs\" has no \"id\"; add id: a text");
  EXPECT_EQ(
      folder.errors("jobs:\n  - {id: a, batch: 1}\n"),
      "j.yaml:2:10: error: \"a\" has no \"task\" (expected one of infer, evaluate, train, prune, quantize, bench)");
  EXPECT_EQ(folder.errors("jobs:\n  - {id: a, task: infer}\n"),
            "j.yaml:2:5: error: task: infer needs \"model.arch\"; for example model: {arch: mobilenet_v2}\n"
            "j.yaml:2:5: error: task: infer needs \"data.dataset\"; for example data: {dataset: shapes10}");
  EXPECT_EQ(folder.errors("name: x\n"), "j.yaml:1:1: error: the file has no jobs; list them under jobs:");
}

TEST(JobFileErrors, TwoJobsOfOneIdAreAnErrorInOneFileAndInTwoOfOneName) {
  const Folder folder;
  EXPECT_EQ(folder.errors(kDefaults + "jobs:\n  - id: a\n  - id: a\n"),
            "j.yaml:4:9: error: two jobs have the id \"a\"; the first is at j.yaml:3:9");
  const auto one = folder.write("one.yaml", "name: two\n" + kDefaults + "jobs: [{id: a}]\n"),
             two = folder.write("two.yaml", kDefaults + "jobs: [{id: a}]\n");
  EXPECT_EQ(folder.errors_of({one, two}),
            "two.yaml:2:13: error: two jobs have the id \"two/a\"; the first is at one.yaml:3:13; give one of the two files another name");
}

TEST(JobFileErrors, IdsOfSeveralFilesAreReadInTheFileThatNamesThem) {
  const Folder folder;
  const auto one = folder.write("one.yaml", kDefaults + "jobs: [{id: a}, {id: b, needs: [only-in-two]}]\n"),
             two = folder.write("two.yaml", kDefaults + "jobs: [{id: a}, {id: only-in-two}]\n"),
             three = folder.write("three.yaml", kDefaults + "jobs: [{id: c, needs: [a]}]\n");
  EXPECT_EQ(folder.errors_of({one, two}), "");
  EXPECT_EQ(folder.errors_of({one, two, three}), "three.yaml:2:24: error: several other files have a job \"a\"; say one/a or two/a");
  const std::string longest = kDefaults + "jobs: [{id: " + std::string(500, 'x') + "}]\n";
  const auto four = folder.write("four.yaml", longest), five = folder.write("five.yaml", longest);
  EXPECT_THAT(folder.errors_of({four, five}), ::testing::HasSubstr("give the file a shorter name"));
}

TEST(JobFileErrors, YamlThatIsNoneOrMoreThanOneDocumentIsToldAtItsPlace) {
  const Folder folder;
  EXPECT_EQ(folder.errors("jobs:\n  - id: [a\n"),
            "j.yaml:3:1: error: this is not YAML: end of sequence flow not found");
  EXPECT_EQ(folder.errors("jobs: [{id: a}]\n---\njobs: []\n"),
            "j.yaml:2:1: error: a job file holds one YAML document, and here a second one begins");
  EXPECT_EQ(folder.errors(kDefaults + "jobs:\n  - id: a\n    batch: 1\n    batch: 2\n"),
            "j.yaml:5:5: error: the key \"batch\" stands twice in one map; the first is at line 4");
  EXPECT_EQ(folder.errors("# nothing\n"), "j.yaml:1:1: error: the file is empty");
  EXPECT_THAT(folder.errors("- a\n"),
              ::testing::StartsWith("j.yaml:1:1: error: \"\" has the wrong type (got a list, expected a map"));
  EXPECT_EQ(folder.errors("? [a]\n: 1\n"), "j.yaml:1:3: error: a key must be a plain text, not a list or a map");
  EXPECT_EQ(folder.errors(kDefaults + "jobs:\n  - id: !!str a\n"),
            "j.yaml:3:9: error: job files use no YAML tags (got the text \"tag:yaml.org,2002:str\"); remove it");
  EXPECT_EQ(folder.errors("a: \xff\n"), "j.yaml:1:4: error: the file is not plain UTF-8 text here");
  EXPECT_EQ(folder.errors(std::string("a: 1\nb\0: 2\n", 11)),
            "j.yaml:2:2: error: the file is not plain UTF-8 text here");
}

TEST(JobFileErrors, FilesThatAreNotThereAreToldWhereTheyWereAskedFor) {
  const Folder folder;
  EXPECT_EQ(folder.errors_of({folder / "none.yaml"}), "error: the job file none.yaml does not exist");
  EXPECT_THAT(folder.errors_of({folder.path()}), ::testing::HasSubstr(" is not a file"));
}

TEST(JobFileErrors, AllAreToldAtOnceInTheOrderOfFileAndLine) {
  const Folder folder;
  const std::string message = folder.errors(
      "defaults:\n  task: bench\n  bacth: 8\njobs:\n  - id: a\n    needs: [b]\n    ranks: 0\n  - id: b\n    needs: [a, "
      "nobody]\n  - id: b\n    model: {arch: mobilnet_v2}\n");
  EXPECT_THAT(message, ::testing::HasSubstr("j.yaml:3:3: error: unknown key \"defaults.bacth\""));
  EXPECT_THAT(message, ::testing::HasSubstr("\nj.yaml:6:12: error: jobs wait for one another in a circle: a → b → a"));
  EXPECT_THAT(message, ::testing::HasSubstr("\nj.yaml:7:12: error: \"jobs.ranks\" is out of range"));
  EXPECT_THAT(message, ::testing::HasSubstr("\nj.yaml:9:16: error: no job has the id \"nobody\""));
  EXPECT_THAT(message, ::testing::HasSubstr("\nj.yaml:10:9: error: two jobs have the id \"b\""));
  EXPECT_THAT(message, ::testing::HasSubstr("\nj.yaml:11:19: error: \"jobs.model.arch\" has an unknown value"));
  std::vector<std::size_t> order;
  for (const char* place : {":3:3:", ":6:12:", ":7:12:", ":9:16:", ":10:9:", ":11:19:"})
    order.push_back(message.find(place));
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end())) << message;
}

TEST(JobFileErrors, AFaultInDefaultsIsToldOnceAtItsOwnPlace) {
  EXPECT_EQ(Folder().errors("defaults: {task: bench, ranks: 2, model: {arch: mobilenet_v2}, parallel: {pipeline: "
                            "3}}\njobs: [{id: a}, {id: b}, {id: c}]\n"),
            "j.yaml:1:74: error: the ways of \"parallel\" must multiply to the job's ranks (got 3, expected 2, as "
            "\"ranks\" says)");
}

TEST(JobFileErrors, TheExitCodeIsTheFirstOfTwoThreeOne) {
  const auto code = [](std::vector<ErrorKind> kinds) {
    std::vector<Error> errors;
    for (const ErrorKind kind : kinds) errors.emplace_back(kind, "x");
    return JobFileErrors(std::move(errors)).exit_code();
  };
  EXPECT_EQ(code({ErrorKind::data, ErrorKind::environment, ErrorKind::usage}), 2);
  EXPECT_EQ(code({ErrorKind::data, ErrorKind::environment}), 3);
  EXPECT_EQ(code({ErrorKind::data}), 1);
}

}  // namespace
}  // namespace edgelab::batch
