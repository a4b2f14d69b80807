// `edgelab submit` of jobs whose model is split over ranks, one of which dies or hangs while it works.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

class SubmitSplit : public testing::Test {
 protected:
  void write(const std::string& job) const {
    std::ofstream(folder_ / "batch.yaml") << "name: split\n"
                                             "defaults:\n"
                                             "  data: {dataset: shapes10, limit: 96}\n"
                                             "  model: {arch: vit_tiny_patch16_224, weights: random, img_size: 16, patch_size: 4, depth: 2, embed_dim: 24, num_heads: 3}\n"
                                             "jobs:\n"
                                          << job;
  }
  std::string in_folder(const std::string& name) const { return (folder_ / name).string(); }
  // Submits on so many ranks, and sends rank 1 of mpirun's a signal once `ready` (a shell's condition) holds.
  ProgramResult submit(int ranks, const std::string& ready, const std::string& signal) const {
    const std::string out = in_folder("r.h5");
    return run_program("EDGELAB_SPOOL=" + in_folder("spool") + " " EDGELAB_BINARY " submit " + in_folder("batch.yaml") + " --out " + out + " --ranks " + std::to_string(ranks) +
                       " & submit=$!\n"
                       "victim() { for e in $(grep -lz '^OMPI_COMM_WORLD_RANK=1$' /proc/[0-9]*/environ 2>/dev/null); do\n"
                       "  tr '\\0' ' ' <${e%environ}cmdline 2>/dev/null | grep -q '^[^ ]*edgelab run .*" + out + "' && basename ${e%/environ}; done; }\n"
                       "for i in $(seq 1200); do " + ready + " && break; sleep 0.05; done\n"
                       "kill -" + signal + " $(victim)\n"
                       "wait $submit");
  }
  json job() const {
    const ProgramResult result = run_program(EDGELAB_BINARY " results show --json " + in_folder("r.h5"));
    EXPECT_EQ(result.exit_code, 0) << result.errors;
    return json::parse(result.output)["jobs"]["split"];
  }

  test::TemporaryDirectory folder_;
};

TEST_F(SubmitSplit, AStageOfTrainingThatDiesIsNamedAndItsJobGoesOnFromItsCheckpoint) {
  write("  - {id: split, task: train, ranks: 2, retries: 1, parallel: {strategy: pipeline, microbatch: 4}, batch: 16,\n"
        "     train: {epochs: 40, batch: 16, validate: {limit: 10}}}\n");
  const ProgramResult result = submit(2, "ls " + in_folder("r.artifacts/split/checkpoints") + "/*.safetensors >/dev/null 2>&1", "KILL");
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_THAT(result.errors, HasSubstr("SIGKILL"));
  EXPECT_EQ(job()["status"], "done");
  EXPECT_EQ(job()["attempts"], 2);
  EXPECT_EQ(job()["training"].size(), 40u);
}

}  // namespace
}  // namespace edgelab
