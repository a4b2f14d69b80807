#include <gtest/gtest.h>

#include "parallel/communicator.hpp"
#include "support/host_root.hpp"
#include "tasks/small_job.hpp"
#include "tasks/task.hpp"

namespace edgelab::tasks {
namespace {

results::JobRecord run(const JobSpec& spec, const parallel::Communicator& communicator) {
  const test::HostRoot host;  // each rank's own, but one rank a host reads it
  host.write("sys/class/hwmon/hwmon0/name", "ina219\n");
  host.write("sys/class/hwmon/hwmon0/power1_input", communicator.rank() == 0 ? "5000000\n" : "7000000\n");
  TaskContext context{communicator, 1, {}, {}, false, {}, {}, {}};
  context.host_root = host.path();
  return run_task(spec, context);
}

JobSpec small_job(Task task, int ranks) {
  JobSpec spec = example::small_job(task);
  spec.ranks = ranks;
  spec.data.limit = 12;
  spec.batch = 2;
  return spec;
}

// All ranks of a test share one host.
void expect_one_host(const parallel::Communicator& communicator, const results::JobRecord& record, int samples) {
  if (communicator.rank() != 0) {
    EXPECT_TRUE(record.energy.empty());
    EXPECT_TRUE(record.telemetry.empty());
    return;
  }
  ASSERT_EQ(record.energy.size(), 1u);
  EXPECT_EQ(record.energy.front().rank, 0);
  const double joules = 5e-9 * static_cast<double>(record.energy.front().window_ns);
  EXPECT_NEAR(record.summary.energy_joules.value_or(0), joules, 1e-9 * joules);
  EXPECT_NEAR(record.summary.energy_per_sample_joules.value_or(0), joules / samples, 1e-9 * joules);
  ASSERT_FALSE(record.telemetry.empty());
  for (const results::TelemetryRow& row : record.telemetry) EXPECT_EQ(row.rank, 0);
}

TEST(Telemetry, OfShardsIsSampledOnceAHost) {
  const parallel::Communicator world = parallel::Communicator::world();
  expect_one_host(world, run(small_job(Task::evaluate, world.size()), world), 12);
}

TEST(Telemetry, OfAPipelineIsSampledOnceAHost) {
  const parallel::Communicator world = parallel::Communicator::world();
  JobSpec spec = small_job(Task::infer, world.size());
  spec.parallel.strategy = Strategy::pipeline;
  expect_one_host(world, run(spec, world), 12 * 2);
  spec.task = Task::evaluate;
  expect_one_host(world, run(spec, world), 12);
}

}  // namespace
}  // namespace edgelab::tasks
