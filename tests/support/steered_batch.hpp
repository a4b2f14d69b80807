#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "support/run_program.hpp"
#include "support/temporary_directory.hpp"

// A batch that runs while commands look at it (tests/support/faulty_edgelab.cpp), with a spool of its own. For tests of the app.
namespace edgelab::test {

class SteeredBatch : public testing::Test {
 protected:
  std::string write(const std::string& name, const std::string& jobs) const {
    std::ofstream(folder_ / (name + ".yaml")) << "name: " << name
                                              << "\ndefaults: {task: evaluate, model: {arch: mobilenet_v2, input_size: "
                                                 "32}, data: {dataset: shapes10, limit: 4}, seed: 10}\njobs:\n"
                                              << jobs;
    return (folder_ / (name + ".yaml")).string();
  }
  std::string spool() const { return (folder_ / "spool").string(); }
  std::string results() const { return (folder_ / "r.h5").string(); }

  // Runs the jobs on one rank and, once `job` has begun, the commands; then waits for the run. The run's exit code.
  ProgramResult steered(const std::string& jobs, const std::string& job, const std::string& commands,
                        const std::string& options = "") const {
    const std::string journal = (folder_ / "r.journal").string();
    return run_program("export EDGELAB_SPOOL=" + spool() + "; cd " + folder_.path().string() +
                       "\n" FAULTY_EDGELAB " run " + write("night", jobs) + " --out " + results() + " " + options +
                       " >run.log 2>&1 & pid=$!\n" + "for i in $(seq 200); do grep -q '\"type\":\"start\".*\"job\":\"" +
                       job + "\"' " + journal + " 2>/dev/null && break; sleep 0.05; done\n" + commands + "\nwait $pid");
  }
  nlohmann::json shown() const {
    const ProgramResult result = run_program(EDGELAB_BINARY " results show --json " + results());
    EXPECT_EQ(result.exit_code, 0) << result.errors;
    return nlohmann::json::parse(result.output);
  }

  TemporaryDirectory folder_;
};

}  // namespace edgelab::test
