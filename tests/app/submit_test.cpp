// `edgelab submit` as a person uses it, with jobs that crash, hang and eat memory (tests/support/faulty_edgelab.cpp).
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "support/run_program.hpp"
#include "support/temporary_directory.hpp"

namespace edgelab {
namespace {

using nlohmann::json;
using test::ProgramResult;
using test::run_program;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kDefaults =
    "name: batch\ndefaults: {task: evaluate, model: {arch: mobilenet_v2, input_size: 32}, data: {dataset: shapes10, limit: 4}, seed: 50}\njobs:\n";

// A memory cgroup with a limit, where this user may make one: the kernel then kills for want of memory as on a small board.
class SmallMemory {
 public:
  explicit SmallMemory(const char* limit) {
    for (const auto& [parent, key] : {std::pair{"/sys/fs/cgroup/memory", "memory.limit_in_bytes"}, std::pair{"/sys/fs/cgroup", "memory.max"}}) {
      const std::filesystem::path group = std::filesystem::path(parent) / ("edgelab-test-" + std::to_string(getpid()));
      std::error_code refused;
      if (!std::filesystem::create_directory(group, refused)) continue;
      std::ofstream(group / key) << limit;
      long long read = 0;
      std::ifstream(group / key) >> read;
      if (std::to_string(read) == limit) {
        group_ = group;
        return;
      }
      rmdir(group.c_str());
    }
  }
  ~SmallMemory() {
    // Processes that were just killed may take a moment to leave it.
    for (int i = 0; i < 50 && !group_.empty() && rmdir(group_.c_str()) != 0; ++i) usleep(100'000);
  }

  bool there() const { return !group_.empty(); }
  // 0 is whoever writes: the subshell itself, where $$ would name its parent.
  std::string enter() const { return there() ? "echo 0 > " + (group_ / "cgroup.procs").string() + "; " : ""; }

 private:
  std::filesystem::path group_;
};

class Submit : public testing::Test {
 protected:
  std::string write(const std::string& jobs) const {
    std::ofstream(folder_ / "batch.yaml") << kDefaults << jobs;
    return (folder_ / "batch.yaml").string();
  }
  std::string results() const { return (folder_ / "r.h5").string(); }
  std::string journal() const { return (folder_ / "r.journal").string(); }
  std::string command(const std::string& jobs, const std::string& options = "") const {
    return "EDGELAB_SPOOL=" + (folder_ / "spool").string() + " " FAULTY_EDGELAB " submit " + write(jobs) + " --out " + results() + " " + options;
  }
  json shown() const {
    const ProgramResult result = run_program(EDGELAB_BINARY " results show --json " + results());
    EXPECT_EQ(result.exit_code, 0) << result.errors;
    return json::parse(result.output);
  }
  std::string reason(const json& file, const std::string& job) const { return file["jobs"][job]["reason"]; }
  // Waits until a job has begun so many times, and a moment more.
  std::string when_begun(const std::string& job, int times = 1) const {
    return "for i in $(seq 600); do [ \"$(grep -c '\"type\":\"start\".*\"" + job + "\"' " + journal() + " 2>/dev/null)\" = " + std::to_string(times) +
           " ] && break; sleep 0.1; done; sleep 0.3; ";
  }

  test::TemporaryDirectory folder_;
};

TEST_F(Submit, ACrashAHangAndAnEmptyMemoryEachEndOneJobAndTheOther16Finish) {
  std::string jobs = "  - {id: segfault, ranks: 2}\n  - {id: abort}\n  - {id: hang, time_limit: 500ms}\n  - {id: hog}\n";
  for (int i = 0; i < 16; ++i) jobs += "  - {id: ok" + std::to_string(i) + ", ranks: " + std::to_string(1 + i % 4) + "}\n";
#ifdef __SANITIZE_ADDRESS__
  const SmallMemory small("2400002048");  // a whole number of pages
#else
  const SmallMemory small("800002048");
#endif
  const ProgramResult result = run_program(small.enter() + command(jobs, "--ranks 4"));
  EXPECT_EQ(result.exit_code, 1) << result.errors;
  const json file = shown();
  ASSERT_EQ(file["jobs"].size(), 20u);
  EXPECT_TRUE(file["complete"]);
  for (int i = 0; i < 16; ++i) {
    const json& job = file["jobs"]["ok" + std::to_string(i)];
    EXPECT_EQ(job["status"], "done") << i << ": " << job;
    EXPECT_EQ(job["attempts"], 1) << "a bystander's attempt does not count";
  }
  for (const char* job : {"segfault", "abort", "hang", "hog"}) EXPECT_EQ(file["jobs"][job]["status"], "failed") << job;
  EXPECT_THAT(reason(file, "segfault"), HasSubstr("SIGSEGV"));
  EXPECT_THAT(reason(file, "abort"), HasSubstr("SIGABRT"));
  EXPECT_THAT(reason(file, "hang"), HasSubstr("time_limit"));
  EXPECT_THAT(reason(file, "hog"), HasSubstr(small.there() ? "out of memory" : "SIGKILL"));
  EXPECT_EQ(run_program(EDGELAB_BINARY " results verify " + results()).exit_code, 0);
}

TEST_F(Submit, ACrashedJobIsTriedAgainAsOftenAsItMayBe) {
  const ProgramResult result = run_program(command("  - {id: abort, retries: 2}\n  - {id: after, needs: [abort]}\n  - {id: ok}\n", "--json"));
  EXPECT_EQ(result.exit_code, 1) << result.errors;
  const json printed = json::parse(result.output, nullptr, false);
  ASSERT_FALSE(printed.is_discarded()) << "stdout is JSON and nothing else, over all restarts: " << result.output;
  EXPECT_EQ(printed["jobs"]["abort"]["attempts"], 3);
  EXPECT_EQ(printed["jobs"]["after"]["status"], "skipped");
  EXPECT_EQ(printed["jobs"]["ok"]["status"], "done");
  EXPECT_THAT(result.errors, Not(HasSubstr("edgelab-guard")));
  EXPECT_THAT(result.errors, Not(HasSubstr("mpirun noticed"))) << "what the guards have told mpirun need not repeat";
}

TEST_F(Submit, WhatJoinsABatchOfSomeJobsOutlivesACrash) {
  std::ofstream(folder_ / "more.yaml") << kDefaults << "  - {id: extra}\n  - {id: segfault}\n";
  const std::string spool = "EDGELAB_SPOOL=" + (folder_ / "spool").string() + " ";
  const ProgramResult result = run_program("( exec env " + command("  - {id: wait, time_limit: 4s}\n  - {id: other}\n", "--only wait --ranks 2") + " ) & pid=$!\n" +
                                           when_begun("wait") + spool + EDGELAB_BINARY " submit --into batch " + (folder_ / "more.yaml").string() + "; wait $pid");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.output, HasSubstr("2 jobs have joined")) << result.errors;
  const json jobs = shown()["jobs"];
  ASSERT_EQ(jobs.size(), 3u) << jobs;
  EXPECT_EQ(jobs["extra"]["status"], "done");
  EXPECT_THAT(jobs["segfault"]["reason"].get<std::string>(), HasSubstr("SIGSEGV"));
}

TEST_F(Submit, ASignalBecomesItsOwnExitCodeAndResumeGoesOn) {
  const std::string jobs = "  - {id: ok}\n  - {id: wait, needs: [ok]}\n";
  int run = 0;
  for (const auto& [name, code] : {std::pair<const char*, int>{"TERM", 143}, {"INT", 130}}) {
    // env --default-signal: a shell starts background commands with SIGINT ignored.
    const ProgramResult result = run_program("( exec env --default-signal=INT " + command(jobs, "--grace 3 --resume") + " ) & pid=$!\n" +
                                             when_begun("wait", ++run) + "kill -" + name + " $pid; wait $pid");
    EXPECT_EQ(result.exit_code, code) << result.output << result.errors;
    EXPECT_EQ(run_program(EDGELAB_BINARY " results verify " + results()).exit_code, 0);
    const json file = shown();
    EXPECT_FALSE(file["complete"]);
    EXPECT_EQ(file["jobs"]["ok"]["status"], "done");
    EXPECT_EQ(file["jobs"]["ok"]["attempts"], 1);
    EXPECT_EQ(file["jobs"]["wait"]["status"], "interrupted");
  }
}

TEST_F(Submit, ARestartGoesOnWithTheBatchAndTheProgramThatItBeganWith) {
  const std::string program = (folder_ / "program").string();
  std::filesystem::copy_file(FAULTY_EDGELAB, program);
  std::string begun = command("  - {id: ok}\n  - {id: wait, time_limit: 1500ms}\n  - {id: segfault}\n  - {id: last}\n", "--ranks 1");
  begun.replace(begun.find(FAULTY_EDGELAB), std::string(FAULTY_EDGELAB).size(), program);
  const ProgramResult result = run_program("( exec env " + begun + " ) & pid=$!\n" + when_begun("wait") + "echo 'jobs: nonsense' > " + (folder_ / "batch.yaml").string() +
                                           "\nprintf '#!/bin/sh\\nexit 9\\n' > " + program + ".new; chmod +x " + program + ".new; mv " + program + ".new " + program + "; wait $pid");
  EXPECT_EQ(result.exit_code, 1) << result.errors;
  EXPECT_THAT(result.errors, HasSubstr("has been replaced since the batch began"));
  const json jobs = shown()["jobs"];
  EXPECT_THAT(jobs["segfault"]["reason"].get<std::string>(), HasSubstr("SIGSEGV"));
  EXPECT_EQ(jobs["last"]["status"], "done") << result.errors;
  EXPECT_EQ(jobs["ok"]["attempts"], 1);
}

// Two hosts, of which the other one answers to the remote shell, but mpirun's daemon does not come up there.
TEST_F(Submit, AHostWhereMpirunCannotStartIsFoundOutAndTheBatchRunsWithoutIt) {
  const std::string shell = (folder_ / "shell").string();
  std::ofstream(shell) << "#!/bin/sh\ncase \"$*\" in *true) exit 0;; esac\necho 'orted: no such program' >&2\nexit 127\n";
  std::filesystem::permissions(shell, std::filesystem::perms::owner_all);
  std::ofstream(folder_ / "hosts.yaml") << "cluster: {hosts: [{name: localhost, ranks: 1}, {name: 198.51.100.2, ranks: 1}]}\n";
  const ProgramResult result = run_program("export OMPI_MCA_plm_rsh_agent=" + shell + "; " + command("  - {id: ok}\n  - {id: wide, ranks: 2}\n", "--hosts " + (folder_ / "hosts.yaml").string()));
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.errors, HasSubstr("198.51.100.2 is left out: edgelab can't be started there")) << result.errors;
  const json file = shown();
  EXPECT_EQ(file["jobs"]["ok"]["status"], "done");
  EXPECT_EQ(file["jobs"]["wide"]["status"], "skipped");
}

TEST_F(Submit, AnMpirunThatHangsBeforeRank0CouldSayAWordIsKilled) {
  const std::string bin = (folder_ / "bin").string();
  std::filesystem::create_directory(bin);
  std::ofstream(bin + "/mpirun") << "#!/bin/sh\nexec sleep 600\n";
  std::filesystem::permissions(bin + "/mpirun", std::filesystem::perms::owner_all);
  const ProgramResult result = run_program("PATH=" + bin + ":$PATH; " + command("  - {id: ok}\n", "--start-limit 1"));
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_THAT(result.errors, HasSubstr("mpirun did not bring the ranks together in 1 s"));
  EXPECT_THAT(result.errors, HasSubstr("given up"));
}

TEST_F(Submit, ATrainingThatIsInterruptedSavesItsWorkAndResumeGoesOnFromThere) {
  const std::string file = (folder_ / "learn.yaml").string(), spool = "export EDGELAB_SPOOL=" + (folder_ / "spool").string() + "\n";
  // 8 steps an epoch, 72 in all. Its half lies amid an epoch: no checkpoint is due there.
  std::ofstream(file) << "name: learn\njobs:\n  - {id: halt, task: train, seed: 3, threads: 1, data: {dataset: shapes10, limit: 192}, train: {epochs: 9, batch: 24}, time_limit: 5m,\n"
                         "     model: {arch: vit_tiny_patch16_224, img_size: 16, patch_size: 4, depth: 2, embed_dim: 24, num_heads: 3}}\n";
  const std::string submit = FAULTY_EDGELAB " submit " + file + " --out " + results() + " --grace 20 ";
  const ProgramResult first = run_program(spool + submit + "& pid=$!\nfor i in $(seq 1200); do " EDGELAB_BINARY
                                          " queue --json 2>/dev/null | grep -q '\"fraction\": *0\\.5' && break; sleep 0.05; done\nkill -TERM $pid; wait $pid");
  ASSERT_EQ(first.exit_code, 143) << first.output << first.errors;
  EXPECT_EQ(shown()["jobs"]["halt"]["status"], "interrupted");
  std::string newest;
  for (const auto& entry : std::filesystem::directory_iterator(folder_ / "r.artifacts/halt/checkpoints")) newest = std::max(newest, entry.path().stem().string());
  EXPECT_THAT(newest, testing::EndsWith("036")) << "the step that it stood at";
  // Begun afresh it would stand still at its half again, until its time is over.
  const ProgramResult second = run_program(spool + submit + "--resume");
  EXPECT_EQ(second.exit_code, 0) << second.output << second.errors;
  EXPECT_EQ(shown()["jobs"]["halt"]["status"], "done");
}

TEST_F(Submit, NothingOfItListensOnANetworkPort) {
  // Of the processes of a batch, mpirun but for: how many were looked at, and who of them has a listening socket. Ranks on one
  // host need no TCP of MPI's; between hosts it is MPI that listens in them.
  const std::string look = "sockets=$(awk '$4 == \"0A\" {print $10}' /proc/net/tcp /proc/net/tcp6 2>/dev/null)\nlooked=0\n"
                           "for p in $(pgrep -f -- " + results() + "); do\n  case $(cat /proc/$p/comm) in faulty_edgelab) ;; *) continue;; esac\n  looked=$((looked + 1))\n"
                           "  for s in $sockets; do ls -l /proc/$p/fd 2>/dev/null | grep -q \"socket:\\[$s\\]\" && tr '\\0' ' ' </proc/$p/cmdline && echo LISTENS; done\ndone\necho looked $looked\n";
  const ProgramResult result = run_program("export OMPI_MCA_btl=self,vader\n( exec env " + command("  - {id: wait, ranks: 2}\n", "--grace 1") + " ) & pid=$!\n" + when_begun("wait") + look +
                                           "kill -TERM $pid; wait $pid");
  EXPECT_THAT(result.output, HasSubstr("looked 5")) << "a supervisor, two guards, two ranks: " << result.errors;
  EXPECT_THAT(result.output, Not(HasSubstr("LISTENS")));
}

TEST_F(Submit, ASecondSupervisorForTheSameResultsIsRefused) {
  const std::string first = command("  - {id: wait}\n", "--grace 1");
  const ProgramResult result = run_program("( exec env " + first + " ) & pid=$!\n" + when_begun("wait") + first + " 2>&1 | grep -q 'another edgelab submit' && echo refused; kill -TERM $pid; wait $pid");
  EXPECT_THAT(result.output, HasSubstr("refused")) << result.errors;
  EXPECT_EQ(result.exit_code, 143);
}

TEST_F(Submit, WhatCannotRunIsRefusedBeforeMpirunStarts) {
  EXPECT_EQ(run_program(command("  - {id: wide, ranks: 3}\n", "--ranks 2")).exit_code, 3);
  EXPECT_EQ(run_program(command("  - {id: odd, rank: 3}\n")).exit_code, 2);
  EXPECT_EQ(run_program("PATH=/nowhere " FAULTY_EDGELAB " submit " + write("  - {id: ok}\n")).exit_code, 3);
  EXPECT_FALSE(std::filesystem::exists(journal()));
}

}  // namespace
}  // namespace edgelab
