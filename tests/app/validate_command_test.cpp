#include "app/validate_command.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "app/schema_command.hpp"
#include "support/temporary_directory.hpp"

namespace edgelab::app {
namespace {

struct Outcome {
  int code = -1;
  std::string out, err;
};

Outcome call(std::vector<std::string> words) {
  CLI::App root;
  Outcome outcome;
  add_validate_command(root, outcome.code);
  add_schema_command(root, outcome.code);
  std::reverse(words.begin(), words.end());  // as CLI11 takes them
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  root.parse(words);
  outcome.out = testing::internal::GetCapturedStdout();
  outcome.err = testing::internal::GetCapturedStderr();
  return outcome;
}

class ValidateCommand : public testing::Test {
 protected:
  std::string file(const std::string& text) const {
    std::ofstream(directory_ / "j.yaml") << text;
    return (directory_ / "j.yaml").string();
  }
  test::TemporaryDirectory directory_;
};

constexpr const char* kGood =
    "defaults: {task: bench, model: {arch: mobilenet_v2}}\njobs: [{id: a}, {id: b, needs: [a]}, {id: c}]\n";

TEST_F(ValidateCommand, CountsTheJobsOfARightFile) {
  const std::string path = file(kGood);
  const Outcome outcome = call({"validate", path});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.out, path + ": 3 jobs, no errors\n");
  EXPECT_EQ(outcome.err, "");
}

TEST_F(ValidateCommand, TellsEveryErrorOnALineOfStderrAndExitsWithTwo) {
  const std::string path =
      file("defaults: {task: bench, bacth: 3}\njobs: [{id: a, ranks: 0, model: {arch: mobilenet_v2}}]\n");
  const Outcome outcome = call({"validate", path});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(outcome.err,
            path + ":1:25: error: unknown key \"defaults.bacth\"; did you mean \"batch\"?\n" + path +
                ":2:23: error: \"jobs.ranks\" is out of range (got 0, expected a whole number from 1 to 65,536)\n");
}

TEST_F(ValidateCommand, ExitsWithThreeWhereOnlyWeightsAreMissing) {
  EXPECT_EQ(call({"validate", file(kGood), "--set", "defaults.model.weights=/none.safetensors"}).code, 3);
}

TEST_F(ValidateCommand, TakesOverridesAndSelectionsBeforeTheFileToo) {
  const Outcome outcome = call({"validate", "--set", "jobs.a.batch=2", "--only", "b", file(kGood)});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.out, testing::HasSubstr("2 jobs, no errors"));
}

TEST_F(ValidateCommand, PrintsNothingButJsonOnStdoutWhenAsked) {
  auto report = nlohmann::json::parse(call({"validate", "--json", file(kGood)}).out);
  EXPECT_EQ(report["valid"], true);
  EXPECT_EQ(report["jobs"], nlohmann::json::array({"a", "b", "c"}));
  const Outcome outcome = call({"validate", "--json", file("jobs: [{id: a, tusk: 1}]\n")});
  report = nlohmann::json::parse(outcome.out);
  EXPECT_EQ(outcome.code, 2);
  EXPECT_EQ(report["valid"], false);
  EXPECT_EQ(report["errors"][0]["line"], 1);
  EXPECT_EQ(report["errors"][1]["column"], 16);
  EXPECT_EQ(report["errors"][1]["exit_code"], 2);
}

TEST(SchemaCommand, PrintsTheSchemaOrTheKeyTables) {
  const Outcome schema = call({"schema"});
  EXPECT_EQ(schema.code, 0);
  EXPECT_EQ(nlohmann::json::parse(schema.out)["title"], "edgelab job file");
  EXPECT_THAT(call({"schema", "--markdown"}).out, testing::StartsWith("### a job file\n"));
}

}  // namespace
}  // namespace edgelab::app
