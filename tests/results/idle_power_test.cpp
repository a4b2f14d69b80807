#include "results/idle_power.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace edgelab::results {
namespace {

JobRecord job_on_two_hosts() {
  JobRecord job;
  job.summary.energy_joules = 100;
  job.energy = {{0, "pi-0", "pmic", 60, std::nan(""), 10'000'000'000},
                {2, "pi-1", "pmic", 40, std::nan(""), 8'000'000'000}};
  return job;
}

HostRecord host(const char* name, std::optional<double> watt) {
  HostRecord record;
  record.name = name;
  record.idle_watt = watt;
  return record;
}

TEST(IdlePower, IsTakenOffForAsLongAsEachHostWasMeasured) {
  JobRecord job = job_on_two_hosts();
  subtract_idle_power(job, std::vector{host("pi-1", 2.0), host("pi-0", 3.0)});
  EXPECT_DOUBLE_EQ(job.energy[0].idle_watt, 3);
  EXPECT_DOUBLE_EQ(job.energy[1].idle_watt, 2);
  EXPECT_DOUBLE_EQ(job.summary.energy_above_idle_joules.value(), 100 - 3 * 10 - 2 * 8);
}

TEST(IdlePower, OfOneHostUnknownLeavesTheSumUnknown) {
  JobRecord job = job_on_two_hosts();
  subtract_idle_power(job, std::vector{host("pi-0", 3.0), host("pi-1", {})});
  EXPECT_DOUBLE_EQ(job.energy[0].idle_watt, 3);
  EXPECT_TRUE(std::isnan(job.energy[1].idle_watt));
  EXPECT_FALSE(job.summary.energy_above_idle_joules);
}

TEST(IdlePower, IsNotTakenFromOneOfTwoHostsOfTheSameName) {
  JobRecord job = job_on_two_hosts();
  subtract_idle_power(job, std::vector{host("pi-0", 3.0), host("pi-0", 9.0), host("pi-1", 2.0)});
  EXPECT_TRUE(std::isnan(job.energy[0].idle_watt));
  EXPECT_FALSE(job.summary.energy_above_idle_joules);
}

TEST(IdlePower, MakesNoEnergyOutOfNone) {
  JobRecord job = job_on_two_hosts();
  job.summary.energy_joules = {};
  subtract_idle_power(job, std::vector{host("pi-0", 3.0), host("pi-1", 2.0)});
  EXPECT_FALSE(job.summary.energy_above_idle_joules);
}

}  // namespace
}  // namespace edgelab::results
