// What a person sees who gets something wrong: the binary's exit code and what it says, for every kind of bad input.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>

#include <cstdint>
#include <cstring>
#include <fstream>

#include "support/run_program.hpp"
#include "support/temporary_directory.hpp"

namespace edgelab {
namespace {

using test::ProgramResult;
using test::run_program;
using testing::HasSubstr;
using testing::Not;

constexpr int kFailed = 1, kUsage = 2, kEnvironment = 3;

class BadInput : public testing::Test {
 protected:
  std::string file(const std::string& name, const std::string& content) const {
    const auto path = folder_ / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << content;
    return path.string();
  }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }

  // A job file with one small job on drawn images, and `more` added to the job.
  std::string job_file(const std::string& more, const std::string& data = "{dataset: shapes10, limit: 4}") const {
    return file("job.yaml", "name: bad\njobs:\n  - id: one\n    task: evaluate\n    data: " + data +
                                "\n    model: {arch: mobilenet_v2, width_mult: 0.35, input_size: 32}\n" + more);
  }
  ProgramResult run(const std::string& job, const std::string& options = "") const {
    return run_program(std::string(EDGELAB_BINARY) + " run " + job + " --out " + path("out/r.h5") + " " + options);
  }
  static ProgramResult edgelab(const std::string& arguments) { return run_program(std::string(EDGELAB_BINARY) + " " + arguments); }

  static void expect(const ProgramResult& result, int exit_code, const std::vector<std::string>& said) {
    EXPECT_EQ(result.exit_code, exit_code) << result.output << result.errors;
    for (const std::string& part : said) EXPECT_THAT(result.errors + result.output, HasSubstr(part));
    EXPECT_THAT(result.errors, Not(HasSubstr("terminate called")));
  }

  std::string cifar_record(int count, unsigned char label = 3) const {
    std::string bytes;
    for (int i = 0; i < count; ++i) bytes += static_cast<char>(label) + std::string(3072, 'x');
    return bytes;
  }
  static std::string safetensors(const std::string& header, const std::string& bytes, std::uint64_t claimed) {
    std::string text(8, '\0');
    std::memcpy(text.data(), &claimed, 8);
    return text + header + bytes;
  }

  test::TemporaryDirectory folder_;
};

TEST_F(BadInput, AnUnknownKeyIsPlacedAndTheNearestKeyIsNamed) {
  expect(run(job_file("    batchh: 2\n")), kUsage, {"job.yaml:7:5: error:", "batchh", "batch"});
}

TEST_F(BadInput, AValueOfTheWrongTypeIsPlaced) { expect(run(job_file("    batch: many\n")), kUsage, {"job.yaml:7:12: error:", "many"}); }

TEST_F(BadInput, AValueOutOfRangeIsPlaced) { expect(run(job_file("    batch: 0\n")), kUsage, {"job.yaml:7:12: error:"}); }

TEST_F(BadInput, AJobThatIsNotThereIsNamed) { expect(run(job_file("    needs: [onee]\n")), kUsage, {"onee", "job.yaml:7:"}); }

TEST_F(BadInput, ACycleNamesItself) {
  const std::string one = "  - {id: a, task: bench, model: {arch: mobilenet_v2}, needs: [b]}\n";
  const std::string two = "  - {id: b, task: bench, model: {arch: mobilenet_v2}, needs: [a]}\n";
  expect(run(file("cycle.yaml", "name: c\njobs:\n" + one + two)), kUsage, {"cycle.yaml:", "a", "b"});
}

TEST_F(BadInput, TwoJobsOfOneIdAreRefused) {
  const std::string one = "  - {id: a, task: bench, model: {arch: mobilenet_v2}}\n";
  expect(run(file("twice.yaml", "name: t\njobs:\n" + one + one)), kUsage, {"twice.yaml:4:", "a"});
}

TEST_F(BadInput, ASyntaxErrorInTheYamlIsPlaced) { expect(run(file("syntax.yaml", "name: x\njobs: [\n")), kUsage, {"syntax.yaml:"}); }

TEST_F(BadInput, AnIncludeThatIncludesItselfIsRefused) {
  expect(run(file("loop.yaml", "name: x\ninclude: [loop.yaml]\njobs: []\n")), kUsage, {"loop.yaml:2:"});
}

TEST_F(BadInput, AMissingJobFileIsNamed) { expect(run(path("nowhere.yaml")), kUsage, {"nowhere.yaml"}); }

TEST_F(BadInput, AllErrorsOfAFileAreToldAtOnce) {
  const ProgramResult result = run(job_file("    batchh: 2\n    ranks: -1\n    precision: fp31\n"));
  expect(result, kUsage, {":7:", ":8:", ":9:"});
}

TEST_F(BadInput, AnOverrideOfAKeyThatDoesNotExistIsRefused) { expect(run(job_file(""), "--set jobs.one.batchh=2"), kUsage, {"batchh"}); }

TEST_F(BadInput, AnUnknownOptionOfTheCommandLineIsRefused) { expect(run(job_file(""), "--frobnicate"), kUsage, {"frobnicate"}); }

TEST_F(BadInput, AnUnknownArchitectureNamesTheNearestOne) {
  expect(run(file("arch.yaml", "name: x\njobs:\n  - {id: a, task: bench, model: {arch: deit_tinny_patch16_224}}\n")), kUsage, {"deit_tiny_patch16_224"});
}

TEST_F(BadInput, MoreRanksThanThereAreIsTheEnvironmentsFault) { expect(run(job_file("    ranks: 64\n")), kEnvironment, {"one", "64"}); }

TEST_F(BadInput, AMissingDataSetSaysWhereItWasLookedFor) {
  expect(run(job_file("", "{dataset: cifar10, path: " + path("empty") + "}")), kEnvironment, {path("empty")});
}

TEST_F(BadInput, ACifarFileCutInsideARecordIsRefused) {
  file("cifar/test_batch.bin", cifar_record(2).substr(0, 3073 + 100));
  expect(run(job_file("", "{dataset: cifar10, path: " + path("cifar") + "}")), kFailed, {"test_batch.bin", "3073", "3173"});
}

TEST_F(BadInput, ACifarLabelOutOfRangeIsRefused) {
  file("cifar/test_batch.bin", cifar_record(2, 77));
  expect(run(job_file("", "{dataset: cifar10, path: " + path("cifar") + "}")), kFailed, {"test_batch.bin", "77"});
}

TEST_F(BadInput, AnImageThatIsNoneIsNamed) {
  file("images/test/cat/a.png", "this is no picture");
  expect(run(job_file("", "{dataset: images, path: " + path("images") + "}")), kFailed, {"a.png"});
}

TEST_F(BadInput, MissingWeightsSayWhereTheyWereLookedFor) {
  expect(run(file("w.yaml", "name: x\njobs:\n  - {id: a, task: bench, model: {arch: mobilenet_v2, weights: no.safetensors}}\n")), kEnvironment,
         {"no.safetensors"});
}

TEST_F(BadInput, WeightsWithAFalseHeaderLengthAreRefused) {
  file("w.safetensors", safetensors("{}", "", 1ull << 60));
  expect(run(file("w.yaml", "name: x\njobs:\n  - {id: a, task: bench, model: {arch: mobilenet_v2, weights: w.safetensors}}\n")), kFailed,
         {"w.safetensors"});
}

TEST_F(BadInput, WeightsThatLackATensorNameIt) {
  const std::string header = R"({"features.0.0.weight":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})";
  file("w.safetensors", safetensors(header, std::string(4, '\0'), header.size()));
  const ProgramResult result =
      run(file("w.yaml", "name: x\njobs:\n  - {id: a, task: bench, model: {arch: mobilenet_v2, weights: w.safetensors}}\n"));
  expect(result, kFailed, {"features.0.0.weight", "[32, 3, 3, 3]", "features.0.1.weight", "262 tensors"});
}

TEST_F(BadInput, ACudaJobOnAMachineWithoutOneIsTheEnvironmentsFault) { expect(run(job_file("    device: cuda\n")), kEnvironment, {"CUDA"}); }

TEST_F(BadInput, ATaskOfALaterVersionIsRefusedBeforeAnythingRuns) {
  const ProgramResult result = run(file("t.yaml", "name: x\njobs:\n  - {id: a, task: train, model: {arch: mobilenet_v2}, data: {dataset: shapes10}}\n"));
  expect(result, kUsage, {"train"});
  EXPECT_FALSE(std::filesystem::exists(path("out/r.h5")));
}

TEST_F(BadInput, AFolderThatCannotBeWrittenIsTheEnvironmentsFault) {
  const std::string job = job_file("");
  file("plain", "a file, no folder");
  expect(edgelab("run " + job + " --out " + path("plain/r.h5")), kEnvironment, {"plain"});
}

TEST_F(BadInput, AFullDiskKeepsTheOldResultsAndIsTheEnvironmentsFault) {
  const auto small = folder_ / "small";
  std::filesystem::create_directories(small);
  if (mount("tmpfs", small.c_str(), "tmpfs", 0, "size=8k") != 0) GTEST_SKIP() << "mounting a small tmpfs needs root in a namespace of its own";
  const ProgramResult result = edgelab("run " + job_file("    keep_logits: true\n") + " --out " + (small / "r.h5").string());
  const bool left_over = std::filesystem::exists(small / "r.h5.part");
  umount(small.c_str());
  expect(result, kEnvironment, {"r."});
  EXPECT_FALSE(left_over);
}

TEST_F(BadInput, AnExpectationThatIsNotMetFailsTheJobWithBothNumbers) {
  expect(run(job_file("    expect: [{top1_at_least: 1.0}]\n")), kFailed, {"top1", "1"});
}

TEST_F(BadInput, AResultsFileThatIsNoneIsRefused) {
  expect(edgelab("results show " + file("text.h5", "hello")), kFailed, {"text.h5"});
  expect(edgelab("results verify " + file("text.h5", "hello")), kFailed, {"text.h5"});
}

TEST_F(BadInput, AResultsFileThatIsNotThereIsTheEnvironmentsFault) { expect(edgelab("results show " + path("none.h5")), kEnvironment, {"none.h5"}); }

}  // namespace
}  // namespace edgelab
