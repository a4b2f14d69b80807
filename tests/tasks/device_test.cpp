// What a job computes on: the choice among the devices that it names, and a job on an (emulated) CUDA device.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/emulated_device.hpp"
#include "tasks/device.hpp"
#include "tasks/mpi_once.hpp"
#include "tasks/small_job.hpp"
#include "tasks/task.hpp"

namespace edgelab::tasks {
namespace {

using example::small_job;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class OnDevice : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { test::need_mpi(); }

  static results::JobRecord run(const JobSpec& spec, int index_on_host = 0, int ranks_on_host = 1) {
    const parallel::Communicator self = parallel::Communicator::self();
    TaskContext context{self, 2, {}, {}, true, {}, {}, {}};
    context.index_on_host = index_on_host;
    context.ranks_on_host = ranks_on_host;
    return run_task(spec, context);
  }

  static JobSpec on(std::vector<Device> devices, Task task = Task::infer) {
    JobSpec spec = small_job(task);
    spec.device = std::move(devices);
    return spec;
  }
};

std::string problem_text(const JobSpec& spec) {
  const std::optional<Error> problem = problem_of_device(spec);
  return problem ? problem->what() : "";
}

TEST_F(OnDevice, AJobThatWantsOneEndsWhereThereIsNone) {
  if (!kernels::cuda::devices().found.empty()) GTEST_SKIP() << "this machine has a CUDA device";
  const std::optional<Error> problem = problem_of_device(on({Device::cuda}));
  ASSERT_TRUE(problem);
  EXPECT_EQ(problem->kind(), ErrorKind::environment);
  EXPECT_THAT(problem->what(), HasSubstr("no CUDA device: " + kernels::cuda::devices().none));
  EXPECT_THAT(problem->what(), HasSubstr("device: [cuda, cpu]"));
  EXPECT_THROW(run(on({Device::cuda})), Error);
}

TEST_F(OnDevice, AJobThatPrefersOneTakesTheCpuAndSaysWhy) {
  if (!kernels::cuda::devices().found.empty()) GTEST_SKIP() << "this machine has a CUDA device";
  const results::JobRecord record = run(on({Device::cuda, Device::cpu}));
  EXPECT_EQ(record.ranks.front().device, "cpu");
  EXPECT_THAT(record.ranks.front().device_note, StartsWith("no CUDA device: "));
  EXPECT_EQ(record.logits, run(small_job(Task::infer)).logits);
  EXPECT_EQ(run(small_job(Task::infer)).ranks.front().device_note, "");
}

TEST_F(OnDevice, Tf32IsNotOfTheCpu) {
  JobSpec spec = on({Device::cpu});
  spec.precision = Precision::tf32;
  EXPECT_THAT(problem_text(spec), HasSubstr("precision: tf32 is of CUDA devices"));
  spec.device = {Device::cuda, Device::cpu};
  if (!kernels::cuda::devices().found.empty()) return;
  EXPECT_THAT(chosen_device(spec).note, HasSubstr("the CPU computes in fp32"));
}

TEST_F(OnDevice, AJobGivesTheCpusAnswersAndNamesItsDevice) {
  const results::JobRecord expected = run(small_job(Task::infer));
  test::EmulatedDevice device;
  const results::JobRecord record = run(on({Device::cuda}), 1, 3);
  EXPECT_GT(device.backend.launches, 0);
  EXPECT_EQ(record.ranks.front().device,
            "cuda 0: emulated device (compute capability 9.0), shared with the host's ranks 0, 2");
  EXPECT_EQ(record.predictions, expected.predictions);
  ASSERT_EQ(record.logits.size(), expected.logits.size());
  for (std::size_t i = 0; i < record.logits.size(); ++i) EXPECT_NEAR(record.logits[i], expected.logits[i], 1e-3) << i;
  for (const results::LayerRow& layer : record.layers) EXPECT_THAT(layer.implementation, HasSubstr("(cuda)"));
}

TEST_F(OnDevice, TheLayerTableTellsTf32FromFp32) {
  test::EmulatedDevice device;
  JobSpec spec = on({Device::cuda});
  spec.precision = Precision::tf32;
  bool tf32 = false, fp32 = false;
  for (const results::LayerRow& layer : run(spec).layers) {
    tf32 = tf32 || layer.effective_dtype == "tf32";
    fp32 = fp32 || layer.effective_dtype == "fp32";
  }
  EXPECT_TRUE(tf32 && fp32);  // 1×1 convolutions, depthwise ones
}

TEST_F(OnDevice, WhatNoKernelOfTheDeviceDoesIsRefusedOrGoesToTheCpu) {
  test::EmulatedDevice device;
  JobSpec training = on({Device::cuda}, Task::train);
  training.train.emplace();
  EXPECT_THAT(problem_text(training), HasSubstr("CUDA devices don't do training"));
  training.device = {Device::cuda, Device::cpu};
  EXPECT_EQ(chosen_device(training).kind, Device::cpu);
  EXPECT_THAT(chosen_device(training).note, HasSubstr("training"));
  JobSpec integers = on({Device::cuda});
  integers.precision = Precision::int8;
  EXPECT_THAT(problem_text(integers), HasSubstr("integers"));
  JobSpec naive = on({Device::cuda});
  naive.attention = Attention::naive;
  EXPECT_THAT(problem_text(naive), HasSubstr("naive"));
  JobSpec split = on({Device::cuda});
  split.ranks = 2;
  split.parallel.strategy = Strategy::pipeline;
  EXPECT_THAT(problem_text(split), HasSubstr("split over ranks"));
}

}  // namespace
}  // namespace edgelab::tasks
