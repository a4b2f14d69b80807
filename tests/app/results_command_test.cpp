#include "app/results_command.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "results/hdf5/run_file.hpp"
#include "results/recorder.hpp"
#include "results/sample_run.hpp"
#include "support/temporary_directory.hpp"

namespace edgelab::app {
namespace {

using test::TemporaryDirectory;
using testing::HasSubstr;

struct Outcome {
  int exit_code = 0;
  std::string output;
};

Outcome run(std::vector<std::string> words) {
  CLI::App root;
  Outcome outcome;
  add_results_command(root, outcome.exit_code);
  std::reverse(words.begin(), words.end());
  testing::internal::CaptureStdout();
  try {
    root.parse(words);
  } catch (...) {
    testing::internal::GetCapturedStdout();
    throw;
  }
  outcome.output = testing::internal::GetCapturedStdout();
  return outcome;
}

std::string sample_file(const TemporaryDirectory& folder, const char* name = "k.h5") {
  results::write_run(folder / name, test::sample_run());
  return folder / name;
}

TEST(ResultsCommand, ShowsTablesAndJson) {
  const TemporaryDirectory folder;
  const std::string file = sample_file(folder);
  EXPECT_THAT(run({"results", "show", file}).output, HasSubstr("2 of 4 jobs done"));
  EXPECT_THAT(run({"results", "show", "--layers", file}).output, HasSubstr("Layers of serial"));
  const auto json = nlohmann::json::parse(run({"results", "show", file, "--json"}).output);
  EXPECT_EQ(json["jobs"]["serial"]["summary"]["top1"], 0.9453125);
}

TEST(ResultsCommand, VerifyEndsWith0IfSoundAnd1IfNot) {
  const TemporaryDirectory folder;
  const std::string file = sample_file(folder);
  EXPECT_EQ(run({"results", "verify", file}).exit_code, 0);
  std::filesystem::resize_file(file, std::filesystem::file_size(file) / 2);
  const Outcome outcome = run({"results", "verify", file, "--json"});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_EQ(nlohmann::json::parse(outcome.output)["sound"], false);
  EXPECT_THROW(run({"results", "show", file}), Error);
  EXPECT_THROW(run({"results", "verify", file + ".none"}), Error);
}

TEST(ResultsCommand, CompareFailsOnRequestWhenAJobGotSlower) {
  const TemporaryDirectory folder;
  const std::string a = sample_file(folder, "a.h5"), b = folder / "b.h5";
  results::RunRecord slower = test::sample_run();
  slower.jobs[0].scenario.value /= 2;  // queries a second, which a server is judged by
  results::write_run(b, slower);
  EXPECT_EQ(run({"results", "compare", a, b}).exit_code, 0);
  EXPECT_EQ(run({"results", "compare", a, b, "--fail-if-slower", "5"}).exit_code, 1);
  EXPECT_EQ(run({"results", "compare", b, a, "--fail-if-slower", "5"}).exit_code, 0);
  EXPECT_EQ(nlohmann::json::parse(run({"results", "compare", a, b, "--json"}).output)["jobs"]["serial"]["verdict"],
            "slower");
}

TEST(ResultsCommand, ComparesSidesOfSeveralFiles) {
  const TemporaryDirectory folder;
  std::vector<std::string> words = {"results", "compare", "--json"};
  for (const char* name : {"a1.h5", "a2.h5", "a3.h5", "a4.h5", "a5.h5"}) words.push_back(sample_file(folder, name));
  EXPECT_THROW(run(words), Error);  // five files, and nothing to hold them against
  words.push_back("--against");
  for (const char* name : {"b1.h5", "b2.h5", "b3.h5", "b4.h5", "b5.h5"}) words.push_back(sample_file(folder, name));
  const auto json = nlohmann::json::parse(run(words).output);
  EXPECT_EQ(json["jobs"]["serial"]["processes_b"], 5);
  EXPECT_EQ(json["jobs"]["serial"]["queries_per_second"]["resampled"], "processes");
  EXPECT_EQ(json["jobs"]["serial"]["verdict"], "can't tell");
}

TEST(ResultsCommand, ABaselineTakesInWhatIsNotSlower) {
  const TemporaryDirectory folder;
  const std::string a = sample_file(folder, "a.h5"), b = folder / "b.h5", store = folder / "baseline.jsonl";
  results::RunRecord slower = test::sample_run();
  slower.jobs[0].scenario.value /= 2;  // queries a second, which a server is judged by
  results::write_run(b, slower);
  EXPECT_THROW(run({"results", "compare", a, "--baseline", store}), Error);  // nothing was accepted yet
  EXPECT_THROW(run({"results", "compare", a, b, "--accept"}), Error);
  EXPECT_THAT(run({"results", "compare", a, "--baseline", store, "--accept"}).output, HasSubstr("accepted into"));
  const Outcome same = run({"results", "compare", a, "--baseline", store, "--fail-if-slower", "5"});
  EXPECT_EQ(same.exit_code, 0);
  EXPECT_THAT(same.output, HasSubstr("1 accepted"));
  EXPECT_EQ(run({"results", "compare", b, "--baseline", store, "--fail-if-slower", "5", "--accept"}).exit_code, 1);
  const auto json = nlohmann::json::parse(run({"results", "compare", b, "--baseline", store, "--json"}).output);
  EXPECT_EQ(json["jobs"]["serial"]["verdict"], "slower");
  EXPECT_EQ(json["trend"]["queries_per_second"]["serial"].size(), 2);
  EXPECT_EQ(run({"results", "compare", b, "--baseline", store, "--fail-if-slower", "5", "--accept", "--force"}).exit_code, 0);
  EXPECT_EQ(run({"results", "compare", b, "--baseline", store, "--fail-if-slower", "5"}).exit_code, 0);
}

TEST(ResultsCommand, ExportsReportsAndRepairs) {
  const TemporaryDirectory folder;
  const std::string file = sample_file(folder);
  EXPECT_THAT(run({"results", "export", file, "--csv", folder / "csv"}).output, HasSubstr("latency.csv"));
  EXPECT_THROW(run({"results", "export", file, "--csv", folder / "csv"}), Error);
  EXPECT_EQ(run({"results", "export", file, "--csv", folder / "csv", "--force"}).exit_code, 0);
  EXPECT_THROW(run({"results", "export", file}), Error);
  run({"results", "export", file, "--json", folder / "k.json"});
  EXPECT_EQ(nlohmann::json::parse(std::ifstream(folder / "k.json"))["jobs"]["serial"]["latency"].size(), 2u);
  EXPECT_THROW(run({"results", "export", file, "--json", folder / "k.json"}), Error);
  run({"results", "report", file});
  EXPECT_TRUE(std::filesystem::exists(folder / "k.html"));
  run({"results", "report", file, "--out", folder / "other.html"});
  EXPECT_TRUE(std::filesystem::exists(folder / "other.html"));
  { results::Recorder(folder / "r.h5", test::sample_run()).add(test::sample_job("a", 2)); }
  EXPECT_THAT(run({"results", "repair", folder / "r.journal"}).output, HasSubstr("1 job, the run was not complete"));
  EXPECT_EQ(run({"results", "verify", folder / "r.h5"}).exit_code, 0);
}

TEST(ResultsCommand, AWrongCommandLineIsCLI11sError) {
  EXPECT_THROW(run({"results"}), CLI::ParseError);
  EXPECT_THROW(run({"results", "show"}), CLI::ParseError);
  EXPECT_THROW(run({"results", "shwo", "x"}), CLI::ParseError);
}

}  // namespace
}  // namespace edgelab::app
