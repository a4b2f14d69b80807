// Telemetry of whole jobs on made-up hosts, on Communicator::self().
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/machine.hpp"
#include "support/host_root.hpp"
#include "support/temporary_directory.hpp"
#include "tasks/mpi_once.hpp"
#include "tasks/small_job.hpp"
#include "tasks/task.hpp"
#include "tasks/training_job.hpp"

namespace edgelab::tasks {
namespace {

class Telemetry : public testing::Test {
 protected:
  static void SetUpTestSuite() { test::need_mpi(); }

  Telemetry() {
    host_.write("sys/class/hwmon/hwmon0/name", "ina219\n");
    host_.write("sys/class/hwmon/hwmon0/power1_input", "5000000\n");
    host_.write("sys/class/thermal/thermal_zone0/temp", "55000\n");
  }

  results::JobRecord run(const JobSpec& spec) {
    const parallel::Communicator self = parallel::Communicator::self();
    TaskContext context{self, 2, {}, {}, false, folder_.path(), {}, {}};
    context.host_root = host_.path();
    return run_task(spec, context);
  }

  // A meter that always tells 5 W: what the job used follows from how long it was measured.
  static void expect_five_watt(const results::JobRecord& record, std::int64_t samples) {
    ASSERT_EQ(record.energy.size(), 1u);
    const results::EnergyRow& row = record.energy.front();
    EXPECT_EQ(row.host, this_machine().host_name);
    EXPECT_EQ(row.source, "hwmon ina219");
    const double joules = 5e-9 * static_cast<double>(row.window_ns);
    EXPECT_GT(joules, 0);
    EXPECT_NEAR(row.energy_joules, joules, 1e-9 * joules + 1e-12);
    EXPECT_DOUBLE_EQ(record.summary.energy_joules.value(), row.energy_joules);
    EXPECT_NEAR(record.summary.energy_per_sample_joules.value(), joules / static_cast<double>(samples), 1e-9 * joules);
    ASSERT_FALSE(record.telemetry.empty());
    EXPECT_GE(row.readings, static_cast<std::int64_t>(record.telemetry.size()));
    for (const results::TelemetryRow& each : record.telemetry) {
      EXPECT_EQ(each.rank, 0);
      EXPECT_GT(each.time_ns, 0);
      EXPECT_DOUBLE_EQ(each.power_watt, 5);
      EXPECT_DOUBLE_EQ(each.temperature_celsius, 55);
    }
    EXPECT_FALSE(record.summary.throttling);
  }

  static JobSpec small_job(Task task) {
    JobSpec spec = example::small_job(task);
    spec.measure.repeats = 3;
    return spec;
  }

  test::HostRoot host_;
  test::TemporaryDirectory folder_;
};

TEST_F(Telemetry, OfInferIsThatOfItsTimedPassesOnly) {
  const results::JobRecord record = run(small_job(Task::infer));
  expect_five_watt(record, 13 * 3);
  std::int64_t timed = 0;
  for (const std::int64_t time : record.latency_ns) timed += time;
  EXPECT_GE(record.energy.front().window_ns, timed);
}

TEST_F(Telemetry, OfEvaluateIsThatOfOnePass) { expect_five_watt(run(small_job(Task::evaluate)), 13); }

TEST_F(Telemetry, OfBenchCountsEveryTimedCallsBatch) {
  const results::JobRecord record = run(small_job(Task::bench));
  expect_five_watt(record, 4 * static_cast<std::int64_t>(record.latency_ns.size()));
}

TEST_F(Telemetry, OfTrainIsThatOfItsSteps) {
  const JobSpec spec = example::small_training();
  expect_five_watt(run(spec), *spec.data.limit * spec.train->epochs);
}

TEST_F(Telemetry, OfTrainLeavesOutTheCheckpointsAmidAnEpoch) {
  JobSpec spec = example::small_training();
  spec.checkpoint.every_steps = 1;
  const results::JobRecord record = run(spec);
  const std::int64_t steps = spec.train->epochs * *spec.data.limit / *spec.train->batch;
  expect_five_watt(record, *spec.data.limit * spec.train->epochs);
  EXPECT_GE(record.energy.front().readings, steps);  // the sensors are read at the end of each stretch between two
}

TEST_F(Telemetry, IsAbsentWhereNothingTells) {
  host_.write("sys/class/hwmon/hwmon0/name", "nvme\n");
  const results::JobRecord record = run(small_job(Task::infer));
  EXPECT_FALSE(record.summary.energy_joules);
  EXPECT_FALSE(record.summary.energy_per_sample_joules);
  EXPECT_TRUE(std::isnan(record.energy.front().energy_joules));
  EXPECT_EQ(record.energy.front().source, "");
  EXPECT_TRUE(std::isnan(record.telemetry.front().power_watt));
}

TEST_F(Telemetry, ThrottlingThatWasSeenIsInTheSummary) {
  host_.write("sys/devices/platform/soc/soc:firmware/get_throttled", "50005\n");
  const results::JobRecord record = run(small_job(Task::bench));
  const std::string readings = std::to_string(record.energy.front().readings);
  EXPECT_EQ(record.summary.throttling.value_or(""),
            this_machine().host_name + ": under-voltage, throttled in " + readings + " of " + readings + " readings");
  EXPECT_EQ(record.telemetry.front().throttle_bits, 0x50005);
}

}  // namespace
}  // namespace edgelab::tasks
