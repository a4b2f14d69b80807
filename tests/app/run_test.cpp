// The binary as a person runs it: on one to four ranks, interrupted, resumed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "results/hdf5/run_file.hpp"
#include "support/host_root.hpp"
#include "support/run_program.hpp"
#include "support/temporary_directory.hpp"

namespace edgelab {
namespace {

using nlohmann::json;
using test::ProgramResult;
using test::run_program;
using testing::HasSubstr;

class Run : public testing::Test {
 protected:
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
    return (folder_ / name).string();
  }
  std::string results() const { return (folder_ / "r.h5").string(); }
  ProgramResult run(int ranks, const std::string& job, const std::string& options = "") const {
    return run_program("mpirun -n " + std::to_string(ranks) + " " EDGELAB_BINARY " run " + job + " --out " + results() + " " + options);
  }
  json shown() const {
    const ProgramResult result = run_program(EDGELAB_BINARY " results show --json " + results());
    EXPECT_EQ(result.exit_code, 0) << result.errors;
    return json::parse(result.output);
  }

  // evaluate on 1 to 4 ranks, each compared with the first
  static std::string sharded_jobs() {
    std::string text =
        "name: sharded\ndefaults:\n  data: {dataset: shapes10, limit: 13}\n  model: {arch: mobilenet_v2, width_mult: 0.35, input_size: 32}\n"
        "  task: evaluate\n  batch: 4\njobs:\n  - {id: on1}\n";
    for (const char* ranks : {"2", "3", "4"}) {
      text += std::string("  - {id: on") + ranks + ", ranks: " + ranks + ", needs: [on1], expect: [{outputs_match: {job: on1, rtol: 1e-4}}]}\n";
    }
    return text;
  }

  test::TemporaryDirectory folder_;
};

TEST_F(Run, TheDataDealtOutToAnyNumberOfRanksGivesTheAnswersOfOne) {
  const ProgramResult result = run(4, write("job.yaml", sharded_jobs()));
  ASSERT_EQ(result.exit_code, 0) << result.output << result.errors;
  const json file = shown();
  for (const char* id : {"on1", "on2", "on3", "on4"}) {
    EXPECT_EQ(file["jobs"][id]["status"], "done") << id;
    EXPECT_EQ(file["jobs"][id]["summary"]["samples"], 13) << id;
  }
  EXPECT_EQ(file["jobs"]["on4"]["summary"]["top1"], file["jobs"]["on1"]["summary"]["top1"]);
  EXPECT_TRUE(file["complete"]);
}

TEST_F(Run, TheSameBatchAloneRefusesTheJobsThatNeedMoreRanks) {
  const ProgramResult result = run_program(EDGELAB_BINARY " run " + write("job.yaml", sharded_jobs()) + " --out " + results());
  EXPECT_EQ(result.exit_code, 3);
  for (const char* id : {"on2", "on3", "on4"}) EXPECT_THAT(result.errors, HasSubstr(id));
}

TEST_F(Run, ASigtermLeavesASoundFileOfWhatWasFinishedAndItsCode) {
  const std::string job = write("long.yaml",
                                "name: long\njobs:\n  - {id: short, task: bench, model: {arch: mobilenet_v2, input_size: 32}, measure: {repeats: 1}}\n"
                                "  - {id: long, task: bench, needs: [short], model: {arch: mobilenet_v2, input_size: 32}, measure: {repeats: 1000000}}\n");
  for (const auto& [name, code] : {std::pair<const char*, int>{"TERM", 143}, {"INT", 130}, {"HUP", 143}}) {
    // The journal says when the short job is done; then the signal comes while the long one runs.
    const std::string journal = (folder_ / "r.journal").string();
    // env --default-signal: a shell starts background commands with SIGINT ignored.
    const ProgramResult result =
        run_program("env --default-signal=INT " EDGELAB_BINARY " run " + job + " --out " + results() + " & pid=$!\nfor i in $(seq 600); do grep -q '\"type\":\"job\"' " + journal +
                    " 2>/dev/null && break; sleep 0.1; done; sleep 0.3; kill -" + name + " $pid; wait $pid");
    EXPECT_EQ(result.exit_code, code) << result.output << result.errors;
    EXPECT_EQ(run_program(EDGELAB_BINARY " results verify " + results()).exit_code, 0);
    const json file = shown();
    EXPECT_FALSE(file["complete"]);
    EXPECT_EQ(file["jobs"]["short"]["status"], "done");
    EXPECT_EQ(file["jobs"]["long"]["status"], "interrupted");
    std::filesystem::remove(journal);
  }
}

// A meter that tells 5 W before the first job and 7 W while one runs: what is above idle is 2 W for as long as was measured.
TEST_F(Run, EnergyAboveIdleIsWhatTheJobDrewMoreThanTheHostDidBefore) {
  const test::HostRoot host;
  host.write("sys/class/hwmon/hwmon0/name", "ina219\n");
  host.write("sys/class/hwmon/hwmon0/power1_input", "5000000\n");
  const std::string job =
      write("job.yaml", "name: energy\njobs:\n  - {id: measured, task: bench, model: {arch: mobilenet_v2, input_size: 32}, measure: {repeats: 1}}\n");
  const ProgramResult result = run_program("env HOST_ROOT=" + host.path().string() + " " FAULTY_EDGELAB " run " + job + " --out " + results());
  ASSERT_EQ(result.exit_code, 0) << result.output << result.errors;
  const results::RunRecord file = results::read_run(results());
  EXPECT_DOUBLE_EQ(file.hosts.at(0).idle_watt.value(), 5);
  const results::JobRecord& measured = file.jobs.at(0);
  ASSERT_EQ(measured.energy.size(), 1u);
  const double seconds = 1e-9 * static_cast<double>(measured.energy[0].window_ns);
  ASSERT_GT(seconds, 0);
  EXPECT_DOUBLE_EQ(measured.energy[0].idle_watt, 5);
  EXPECT_NEAR(measured.summary.energy_joules.value(), 7 * seconds, 1e-6 * seconds);
  EXPECT_NEAR(measured.summary.energy_above_idle_joules.value(), 2 * seconds, 1e-6 * seconds);
}

TEST_F(Run, AResumedRunTakesOverWhatIsDone) {
  const std::string job = write("job.yaml", sharded_jobs());
  ASSERT_EQ(run(2, job, "--only on2").exit_code, 0);  // and on1, with which it is compared
  const ProgramResult result = run(4, job, "--resume");
  EXPECT_EQ(result.exit_code, 0) << result.output << result.errors;
  EXPECT_EQ(shown()["jobs"].size(), 4u);
  EXPECT_THAT(result.errors + result.output, testing::Not(HasSubstr("on1: started")));
}

// Everything dies at once amid training, as in a power cut; what comes out in the end is what would have come out.
TEST_F(Run, TrainingThatWasKilledGoesOnToTheSameWeights) {
  const std::string job = write("train.yaml",
                                "name: train\njobs:\n  - {id: learn, task: train, ranks: 2, threads: 1, data: {dataset: shapes10, limit: 480}, batch: 20, checkpoint: {every: 10 steps},\n"
                                "     model: {arch: vit_tiny_patch16_224, img_size: 32, patch_size: 8, depth: 2, embed_dim: 48, num_heads: 3},\n"
                                "     train: {epochs: 20, batch: 24, ema: 0.9, augment: [crop, flip], optimizer: {name: adamw, lr: 1e-3}}}\n");
  const auto weights = [&](const std::string& name) {
    std::ifstream file(folder_ / (name + ".artifacts/learn/weights.safetensors"), std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  const std::string command = "mpirun -n 2 " EDGELAB_BINARY " run " + job + " --out " + (folder_ / "k.h5").string();
  ASSERT_EQ(run(2, job).exit_code, 0);
  ASSERT_FALSE(weights("r").empty());

  const std::string checkpoints = (folder_ / "k.artifacts/learn/checkpoints").string();
  // mpirun and its ranks: nobody is left to tidy up.
  const ProgramResult killed = run_program(command + " & pid=$!\nfor i in $(seq 600); do ls " + checkpoints +
                                           " 2>/dev/null | grep -q safetensors && break; sleep 0.05; done; sleep 0.2; kill -KILL $pid $(pgrep -P $pid); wait $pid");
  ASSERT_EQ(killed.exit_code, 137) << killed.output << killed.errors;
  ASSERT_TRUE(weights("k").empty()) << "it had finished: the test shows nothing";
  const ProgramResult resumed = run_program(command + " --resume");
  ASSERT_EQ(resumed.exit_code, 0) << resumed.output << resumed.errors;
  EXPECT_EQ(weights("k"), weights("r"));
}

TEST_F(Run, JsonOnStdoutIsJsonAndNothingElse) {
  const ProgramResult result = run(2, write("job.yaml", sharded_jobs()), "--only on2 --json");
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  const json printed = json::parse(result.output, nullptr, false);
  ASSERT_FALSE(printed.is_discarded()) << result.output;
  EXPECT_EQ(printed["schema"], "edgelab/1");
  EXPECT_EQ(printed["jobs"].size(), 2u);
}

}  // namespace
}  // namespace edgelab
