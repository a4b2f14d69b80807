// Batches through a real slurmctld and slurmd: the script by hand, `submit --slurm`, preemption, job arrays.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "support/run_program.hpp"
#include "support/temporary_directory.hpp"

namespace edgelab {
namespace {

using nlohmann::json;
using test::ProgramResult;
using test::run_program;
using testing::HasSubstr;

namespace fs = std::filesystem;

constexpr const char* kScript = EDGELAB_SOURCE_DIR "/cluster/slurm/edgelab.sbatch";

std::string content_of(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

class Slurm : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    cluster_.emplace();
    const ProgramResult started =
        run_program(std::string(EDGELAB_SOURCE_DIR "/tests/cluster/slurm/slurm.sh start ") + cluster_->path().string());
    start_code_ = started.exit_code;
    start_errors_ = started.errors;
    setenv("SLURM_CONF", ((*cluster_) / "slurm.conf").c_str(), 1);
    // What mpirun leaves ranks that are told to end, and takes itself; by the script it would be 5.
    setenv("OMPI_MCA_odls_base_sigkill_timeout", "2", 1);
  }
  static void TearDownTestSuite() {
    run_program(std::string(EDGELAB_SOURCE_DIR "/tests/cluster/slurm/slurm.sh stop ") + cluster_->path().string());
    cluster_.reset();
  }
  void SetUp() override {
    if (start_code_ == 3) GTEST_SKIP() << "Slurm is not installed: " << start_errors_;
    ASSERT_EQ(start_code_, 0) << start_errors_;
  }

  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
    return (folder_ / name).string();
  }
  // In the test's folder, as a person does it who keeps a lab there.
  ProgramResult here(const std::string& command) const {
    return run_program("cd " + folder_.path().string() + " && " + command);
  }

  // The job's id.
  std::string queued(const std::string& command) const {
    const ProgramResult result = here(command);
    EXPECT_EQ(result.exit_code, 0) << command << "\n" << result.errors;
    return result.output.substr(0, result.output.find_first_not_of("0123456789"));
  }
  std::string by_hand(const std::string& binary, const std::string& options, const std::string& arguments) const {
    return queued("EDGELAB=" + binary + " sbatch --parsable --output=%j.txt " + options + " " + kScript + " " +
                  arguments);
  }

  // "JobState" and the like, of a job that Slurm has not forgotten.
  static std::string told(const std::string& id, const std::string& field) {
    std::istringstream words(run_program("scontrol --oneliner show job " + id).output);
    for (std::string word; words >> word;) {
      if (word.starts_with(field + "=")) return word.substr(field.size() + 1);
    }
    return "nothing";
  }

  bool wait_until(const std::function<bool()>& condition) const {
    using namespace std::chrono;
    const auto end = steady_clock::now() + minutes(3);
    while (!condition()) {
      if (steady_clock::now() > end) return false;
      std::this_thread::sleep_for(milliseconds(200));
    }
    return true;
  }
  void expect_end(const std::string& id, const std::string& state) const {
    std::string last;
    const bool reached = wait_until([&] { return (last = told(id, "JobState")) == state; });
    EXPECT_TRUE(reached) << "job " << id << " is " << last << ", not " << state << "\n"
                         << content_of(folder_ / (id + ".txt"));
  }

  // How often the journal says of each job that it is done.
  std::map<std::string, int> done_in(const fs::path& journal) const {
    std::map<std::string, int> done;
    std::ifstream file(folder_ / journal);
    for (std::string line; std::getline(file, line);) {
      const json fact = json::parse(line, nullptr, false);
      if (fact.is_discarded() || fact["type"] != "job") continue;
      if (fact["body"]["status"] == "done") ++done[fact["body"]["id"]];
    }
    return done;
  }
  json shown(const std::string& results) const {
    const ProgramResult result = here(EDGELAB_BINARY " results show --json " + results);
    EXPECT_EQ(result.exit_code, 0) << result.errors;
    return json::parse(result.output, nullptr, false);
  }

  test::TemporaryDirectory folder_;

 private:
  static inline std::optional<test::TemporaryDirectory> cluster_;
  static inline int start_code_ = -1;
  static inline std::string start_errors_;
};

TEST_F(Slurm, TheSameLabByHandAndInAJobGivesEqualPredictions) {
  write("lab.yaml",
        "name: lab\ndefaults:\n  data: {dataset: shapes10, limit: 6, resize: 32}\n  model: {arch: mobilenet_v2, "
        "width_mult: 0.35, classes: 10}\n"
        "jobs:\n  - {id: accuracy, task: evaluate, batch: 3}\n"
        "  - {id: wide, task: evaluate, ranks: 2, needs: [accuracy], expect: [{outputs_match: {job: accuracy, rtol: "
        "1e-4}}]}\n");
  const ProgramResult run = here("mpirun -n 2 " EDGELAB_BINARY " run lab.yaml --out mpirun.h5");
  ASSERT_EQ(run.exit_code, 0) << run.errors;
  const std::string id = by_hand(EDGELAB_BINARY, "-n 2", "lab.yaml --out slurm.h5");
  expect_end(id, "COMPLETED");
  for (const char* job : {"accuracy", "wide"}) {
    const std::string predictions = std::string("/jobs/") + job + "/predictions";
    const ProgramResult difference = here("h5diff --report mpirun.h5 slurm.h5 " + predictions + " " + predictions);
    EXPECT_EQ(difference.exit_code, 0) << difference.output << difference.errors;
  }
  EXPECT_EQ(shown("slurm.h5")["jobs"]["wide"]["summary"]["samples"], 6);
}

// Eight sleepers on four ranks that fill the node; a job of a better partition comes in between.
class SlurmPreemption : public Slurm, public testing::WithParamInterface<const char*> {};

TEST_P(SlurmPreemption, IsFollowedByARestartThatFinishesWhatIsLeft) {
  std::string jobs =
      "name: night\ndefaults: {task: evaluate, data: {dataset: shapes10}, model: {arch: mobilenet_v2}, ranks: 4, seed: "
      "700}\njobs:\n";
  for (int number = 1; number <= 8; ++number) jobs += "  - {id: sleep" + std::to_string(number) + "}\n";
  write("night.yaml", jobs);
  const std::string id = by_hand(FAULTY_EDGELAB_BINARY, "-n 4 --partition=" + std::string(GetParam()), "night.yaml");
  ASSERT_TRUE(wait_until([&] { return done_in("results/night.journal").size() >= 2; }))
      << content_of(folder_ / (id + ".txt"));
  const std::string urgent = queued("sbatch --parsable --partition=high -n 4 --output=urgent.txt --wrap 'true'");
  ASSERT_TRUE(wait_until([&] { return told(id, "JobState") == "PENDING"; })) << content_of(folder_ / (id + ".txt"));
  const std::map<std::string, int> before = done_in("results/night.journal");
  EXPECT_LT(before.size(), 8u);
  expect_end(urgent, "COMPLETED");
  // Slurm revokes a job's credential when it is requeued, to the second: a restart within that second is refused. Left to
  // itself it comes two minutes later.
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));
  EXPECT_EQ(run_program("scontrol update job=" + id + " StartTime=now").exit_code, 0);
  expect_end(id, "COMPLETED");
  EXPECT_EQ(told(id, "Restarts"), "1");
  const std::map<std::string, int> after = done_in("results/night.journal");
  EXPECT_EQ(after.size(), 8u);
  for (const auto& [job, times] : after) EXPECT_EQ(times, 1) << job;
  EXPECT_EQ(here(EDGELAB_BINARY " results verify results/night.h5").exit_code, 0);
  EXPECT_TRUE(shown("results/night.h5")["complete"]);
}

INSTANTIATE_TEST_SUITE_P(, SlurmPreemption, testing::Values("low", "graceful"),
                         [](const auto& test) { return std::string(test.param); });

TEST_F(Slurm, AJobThatIsCancelledStaysSo) {
  write("long.yaml", "jobs:\n  - {id: wait, task: bench, model: {arch: mobilenet_v2}}\n");
  const std::string id = by_hand(FAULTY_EDGELAB_BINARY, "-n 1", "long.yaml");
  ASSERT_TRUE(wait_until([&] { return fs::exists(folder_ / "results/long.journal"); }));
  EXPECT_EQ(run_program("scancel " + id).exit_code, 0);
  expect_end(id, "CANCELLED");
  EXPECT_EQ(told(id, "Restarts"), "0");
}

TEST_F(Slurm, AJobThatHasBeenRestartedOftenEnoughFails) {
  write("long.yaml", "jobs:\n  - {id: wait, task: bench, model: {arch: mobilenet_v2}}\n");
  const std::string id = by_hand(FAULTY_EDGELAB_BINARY, "-n 1 --export=ALL,EDGELAB_MOST_RESTARTS=0", "long.yaml");
  ASSERT_TRUE(wait_until([&] { return fs::exists(folder_ / "results/long.journal"); }));
  EXPECT_EQ(run_program("scancel --batch --signal=TERM " + id).exit_code, 0);
  expect_end(id, "FAILED");
  EXPECT_EQ(told(id, "ExitCode"), "143:0");
  EXPECT_THAT(content_of(folder_ / (id + ".txt")), HasSubstr("stopped after 0 restarts"));
  EXPECT_EQ(shown("results/long.h5")["jobs"]["wait"]["status"], "interrupted");
}

TEST_F(Slurm, AJobThatCrashesHurtsNoOtherOfTheBatch) {
  write("night.yaml",
        "name: night\ndefaults: {task: evaluate, data: {dataset: shapes10}, model: {arch: mobilenet_v2}, seed: 50}\n"
        "jobs:\n  - {id: segfault, ranks: 2}\n  - {id: ok1, ranks: 4}\n  - {id: ok2}\n  - {id: ok3, ranks: 3}\n");
  const std::string id = by_hand(FAULTY_EDGELAB_BINARY, "-n 4", "night.yaml");
  expect_end(id, "FAILED");
  EXPECT_EQ(told(id, "ExitCode"), "1:0");
  const json file = shown("results/night.h5");
  EXPECT_TRUE(file["complete"]);
  EXPECT_EQ(file["jobs"]["segfault"]["status"], "failed");
  EXPECT_THAT(file["jobs"]["segfault"]["reason"].get<std::string>(), HasSubstr("SIGSEGV"));
  for (const char* job : {"ok1", "ok2", "ok3"}) {
    EXPECT_EQ(file["jobs"][job]["status"], "done") << job;
    EXPECT_EQ(file["jobs"][job]["attempts"], 1) << job;
  }
}

TEST_F(Slurm, ASweepIsAnArrayAndWhatNeedsItComesAfter) {
  const std::string sweep = "'grid $(touch pwned) `touch pwned`; touch pwned'";
  write("lab.yaml",
        "name: lab\ndefaults: {task: evaluate, data: {dataset: shapes10}, model: {arch: mobilenet_v2}, seed: "
        "300}\njobs:\n  - {id: first}\n  - {id: " +
            sweep + ", needs: [first], matrix: {batch: [1, 2, 3]}, ranks: 2}\n  - {id: last, needs: [" + sweep +
            "]}\n  - {id: throws}\n  - {id: never, needs: [throws]}\n");
  const ProgramResult submitted = here(FAULTY_EDGELAB_BINARY " submit lab.yaml --slurm --array --out out/lab.h5");
  ASSERT_EQ(submitted.exit_code, 0) << submitted.errors;
  std::map<std::string, std::string> ids;  // by title
  std::istringstream lines(submitted.output);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t colon = line.find(": lab: ");
    if (line.starts_with("Slurm job ") && colon != std::string::npos)
      ids[line.substr(colon + 7)] = line.substr(10, colon - 10);
  }
  ASSERT_EQ(ids.size(), 5u) << submitted.output;
  expect_end(ids["last"], "COMPLETED");
  expect_end(ids["never"], "CANCELLED");
  EXPECT_EQ(told(ids["throws"], "JobState"), "FAILED");
  EXPECT_FALSE(fs::exists(folder_ / "pwned") || fs::exists(folder_ / "out/pwned"));

  std::vector<std::string> members;
  std::vector<fs::file_time_type> ends;
  for (const auto& entry : fs::directory_iterator(folder_ / "out")) {
    if (entry.path().extension() != ".h5" || !entry.path().filename().string().starts_with("lab.grid")) continue;
    const json file = shown("'" + entry.path().string() + "'");
    EXPECT_EQ(file["jobs"].size(), 1u);
    for (const auto& [job, record] : file["jobs"].items()) {
      EXPECT_EQ(record["status"], "done") << job;
      members.push_back(job.substr(job.rfind('[')));
    }
    ends.push_back(fs::last_write_time(entry.path()));
  }
  EXPECT_THAT(members, testing::UnorderedElementsAre("[batch=1]", "[batch=2]", "[batch=3]"));
  for (const fs::file_time_type end : ends) {
    EXPECT_GT(end, fs::last_write_time(folder_ / "out/lab.first.h5"));
    EXPECT_LT(end, fs::last_write_time(folder_ / "out/lab.last.h5"));
  }
}

}  // namespace
}  // namespace edgelab
