// `edgelab submit --slurm` with an sbatch that only writes down what it is given; tests/cluster/slurm has the real one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "support/run_program.hpp"
#include "support/temporary_directory.hpp"

namespace edgelab {
namespace {

using test::ProgramResult;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class SlurmSubmission : public testing::Test {
 protected:
  void SetUp() override {
    // Job ids count up from 1; the job named after "refused" is refused. Each argument stands on a line of `calls`.
    program("sbatch",
            "printf '%s\\n' sbatch \"$@\" >>calls\nhead -n 1 /dev/stdin >>calls\necho \"EDGELAB=$EDGELAB\" >>calls\n"
            "case \"$*\" in *--job-name=lab.refused*) echo 'invalid partition' >&2; exit 1 ;; esac\n"
            "grep -c '^sbatch$' calls\n");
    program("scancel", "printf '%s\\n' scancel \"$@\" >>calls\n");
    write("lab.yaml",
          "name: lab\ndefaults: {task: bench, model: {arch: mobilenet_v2}}\njobs:\n  - {id: first}\n"
          "  - {id: grid, needs: [first], matrix: {batch: [1, 2]}}\n  - {id: refused}\n");
  }

  void write(const std::string& name, const std::string& text) const { std::ofstream(folder_ / name) << text; }
  void program(const std::string& name, const std::string& body) const {
    std::filesystem::create_directories(folder_ / "bin");
    write("bin/" + name, "#!/bin/sh\n" + body);
    std::filesystem::permissions(folder_ / ("bin/" + name), std::filesystem::perms::owner_all);
  }
  ProgramResult submit(const std::string& arguments, const std::string& path = "$PWD/bin:$PATH") const {
    return test::run_program("cd " + folder_.path().string() + " && PATH=" + path +
                             " " EDGELAB_BINARY " submit --slurm " + arguments);
  }
  std::string calls() const {
    std::ostringstream text;
    text << std::ifstream(folder_ / "calls").rdbuf();
    return text.str();
  }
  std::string here(const std::string& name) const {
    return (std::filesystem::canonical(folder_.path()) / name).string();
  }

  test::TemporaryDirectory folder_;
};

TEST_F(SlurmSubmission, HandsInTheWholeBatchAndSaysWhereItsResultsWillBe) {
  const ProgramResult result =
      submit("lab.yaml --ranks 3 --sbatch-option=--time=30 --set defaults.batch=2 --only first");
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_THAT(result.output,
              AllOf(HasSubstr("Slurm job 1: lab\n"), HasSubstr(here("results/lab.h5")), HasSubstr("scancel 1 ")));
  EXPECT_EQ(
      calls(),
      "sbatch\n--parsable\n--job-name=lab\n--ntasks=3\n--output=" + here("results/slurm-%j.out") +
          "\n--time=30\n/dev/stdin\n" + here("lab.yaml") + "\n--set=defaults.batch=2\n--out=" + here("results/lab.h5") +
          "\n--only=first\n#!/usr/bin/env bash\nEDGELAB=" + std::filesystem::canonical(EDGELAB_BINARY).string() + "\n");
  EXPECT_TRUE(std::filesystem::is_directory(folder_ / "results"));
}

TEST_F(SlurmSubmission, TakesBackWhatWasQueuedIfSlurmRefusesTheRest) {
  const ProgramResult result = submit("lab.yaml --array");
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_THAT(calls(), AllOf(HasSubstr("--array=0-1\n--dependency=afterok:1\n"), HasSubstr("scancel\n1\n2\n")));
  EXPECT_THAT(result.errors, AllOf(HasSubstr("invalid partition"), HasSubstr("Slurm did not take \"lab: refused\""),
                                   HasSubstr("taken out of the queue again: Slurm jobs 1 2")));
}

TEST_F(SlurmSubmission, QueuesNothingOfABatchWithErrorsAndTellsThemAll) {
  write("wrong.yaml", "jobs:\n  - {id: a, task: bench, rnaks: 2}\n  - {id: b, needs: [c]}\n");
  const ProgramResult result = submit("wrong.yaml");
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.errors, AllOf(HasSubstr("wrong.yaml:2:"), HasSubstr("rnaks"), HasSubstr("wrong.yaml:3:")));
  EXPECT_THAT(calls(), IsEmpty());
}

TEST_F(SlurmSubmission, RefusesWhatIsNoOptionOfSbatch) {
  for (const char* option : {"script.sh", "-", "''"}) {
    const ProgramResult result = submit("lab.yaml --sbatch-option=" + std::string(option));
    EXPECT_EQ(result.exit_code, 2) << option;
  }
  EXPECT_EQ(submit("lab.yaml --array --ranks 2").exit_code, 2);
  EXPECT_THAT(calls(), IsEmpty());
}

TEST_F(SlurmSubmission, RefusesWhatIsForTheSupervisorOfThisMachine) {
  for (const char* option : {"--hosts=hosts.yaml", "--all-hosts --resume", "--grace=5", "--into=night", "--json"}) {
    const ProgramResult result = submit("lab.yaml " + std::string(option));
    EXPECT_EQ(result.exit_code, 2) << option;
    EXPECT_THAT(result.errors, HasSubstr("--slurm")) << option;
  }
  EXPECT_THAT(calls(), IsEmpty());
}

TEST_F(SlurmSubmission, SaysWhereSbatchIsToBeFoundIfItIsMissing) {
  const ProgramResult result = submit("lab.yaml", "/nowhere");
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_THAT(result.errors,
              AllOf(HasSubstr("there is no sbatch in PATH"), HasSubstr("login node"), Not(HasSubstr("scancel"))));
}

}  // namespace
}  // namespace edgelab
