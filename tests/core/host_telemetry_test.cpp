#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <fstream>
#include <thread>

#include "core/host_state.hpp"
#include "core/telemetry/host_readings.hpp"
#include "core/telemetry/host_sampler.hpp"
#include "support/host_root.hpp"

namespace edgelab {
namespace {

using Root = test::HostRoot;
constexpr std::int64_t kSecond = 1'000'000'000;
constexpr const char* kFirmware = "sys/devices/platform/soc/soc:firmware/get_throttled";
constexpr const char* kHeatCount = "sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count";

void write_watt(const Root& root, double watt) {
  root.write("sys/class/hwmon/hwmon0/name", "ina219\n");
  root.write("sys/class/hwmon/hwmon0/power1_input", std::to_string(static_cast<std::int64_t>(1e6 * watt)) + "\n");
}

void write_package(const Root& root, std::int64_t microjoules) {
  root.write("sys/class/powercap/intel-rapl:0/name", "package-0\n");
  root.write("sys/class/powercap/intel-rapl:0/max_energy_range_uj", "262143328850\n");
  root.write("sys/class/powercap/intel-rapl:0/energy_uj", std::to_string(microjoules) + "\n");
}

TEST(HostReadings, EnergyIsThatOfTheWindowsAndOfNothingBetweenThem) {
  const Root root;
  write_package(root, 1'000'000);
  HostReadings readings(root.path(), {0});
  EXPECT_FALSE(readings.joules());  // nothing was measured
  write_package(root, 5'000'000);   // loading
  readings.open(10 * kSecond);
  write_package(root, 7'000'000);
  readings.read(11 * kSecond);
  write_package(root, 10'000'000);
  readings.close(12 * kSecond);
  EXPECT_DOUBLE_EQ(readings.joules().value(), 5);
  write_package(root, 90'000'000);  // the next images are prepared
  readings.open(20 * kSecond);
  write_package(root, 91'000'000);
  readings.close(21 * kSecond);
  EXPECT_DOUBLE_EQ(readings.joules().value(), 6);
  EXPECT_EQ(readings.window_ns(), 3 * kSecond);
  ASSERT_EQ(readings.samples().size(), 3u);
  EXPECT_DOUBLE_EQ(readings.samples()[0].power_watt, 2);  // of a counter, the mean since the reading before
  EXPECT_DOUBLE_EQ(readings.samples()[1].power_watt, 3);
  EXPECT_DOUBLE_EQ(readings.samples()[2].power_watt, 1);
}

TEST(HostReadings, ASensorsPowerIsIntegratedByTrapezoids) {
  const Root root;
  write_watt(root, 4);
  HostReadings readings(root.path(), {});
  readings.open(0);
  write_watt(root, 6);
  readings.read(2 * kSecond);
  readings.close(3 * kSecond);
  EXPECT_DOUBLE_EQ(readings.joules().value(), 2 * 5 + 6);
  EXPECT_EQ(readings.power_source(), "hwmon ina219");
}

TEST(HostReadings, EnergyIsUnknownWhereNothingTellsOrAReadingFails) {
  const Root root;
  HostReadings blind(root.path(), {});
  blind.open(0);
  blind.close(kSecond);
  EXPECT_FALSE(blind.joules());
  EXPECT_TRUE(std::isnan(blind.samples().front().power_watt));

  write_watt(root, 4);
  HostReadings readings(root.path(), {});
  readings.open(0);
  root.write("sys/class/hwmon/hwmon0/power1_input", "\n");
  readings.read(kSecond);
  write_watt(root, 4);
  readings.close(2 * kSecond);
  EXPECT_FALSE(readings.joules());  // what was used meanwhile is not known, and not guessed
}

TEST(HostReadings, ASampleHoldsWhatTheHostTellsAndNothingElse) {
  const Root root;
  root.write("sys/class/thermal/thermal_zone0/temp", "61500\n");
  root.write("sys/devices/system/cpu/cpu1/cpufreq/scaling_cur_freq", "1500000\n");
  HostReadings readings(root.path(), {0, 1});
  readings.open(0);
  readings.close(kSecond);
  const HostSample& sample = readings.samples().front();
  EXPECT_EQ(sample.time_ns, kSecond);
  EXPECT_DOUBLE_EQ(sample.celsius, 61.5);
  EXPECT_DOUBLE_EQ(sample.frequency_hz, 1.5e9);
  EXPECT_TRUE(std::isnan(sample.power_watt));
  EXPECT_EQ(sample.throttle_bits, 0);
  EXPECT_GT(sample.resident_bytes, 0);
}

TEST(HostReadings, ThrottlingThatCameAndWentBetweenTwoReadingsIsSeen) {
  const Root root;
  root.write(kFirmware, "10000\n");  // under-voltage, long ago
  HostReadings readings(root.path(), {});
  readings.open(0);
  readings.read(kSecond);
  root.write(kFirmware, "50000\n");  // throttled since then, and over
  readings.read(2 * kSecond);
  readings.read(3 * kSecond);
  root.write(kFirmware, "50001\n");  // under-voltage now
  readings.close(4 * kSecond);
  ASSERT_EQ(readings.samples().size(), 4u);
  EXPECT_EQ(readings.samples()[0].throttle_bits, 0x10000);
  EXPECT_EQ(readings.samples()[1].throttle_bits, 0x50000 | kThrottled);
  EXPECT_EQ(readings.samples()[2].throttle_bits, 0x50000);
  EXPECT_EQ(readings.samples()[3].throttle_bits, 0x50000 | kUnderVoltage);
  EXPECT_EQ(readings.throttled_readings(), 2);
  EXPECT_EQ(throttle_names(readings.throttle_bits()), "under-voltage, throttled");
}

TEST(HostReadings, HeatThatAnX86CountedOutsideOfWindowsIsNotTheirs) {
  const Root root;
  root.write(kHeatCount, "7\n");
  HostReadings readings(root.path(), {});
  readings.open(0);
  readings.read(kSecond);
  root.write(kHeatCount, "9\n");
  readings.close(2 * kSecond);
  root.write(kHeatCount, "12\n");
  readings.open(3 * kSecond);
  readings.close(4 * kSecond);
  ASSERT_EQ(readings.samples().size(), 3u);
  EXPECT_EQ(readings.samples()[0].throttle_bits, 0);
  EXPECT_EQ(readings.samples()[1].throttle_bits, kThrottled);
  EXPECT_EQ(readings.samples()[2].throttle_bits, 0);
}

TEST(HostReadings, ALongWindowIsThinnedEvenlyAndLosesNeitherEnergyNorThrottling) {
  const Root root;
  write_watt(root, 2);
  root.write(kFirmware, "0\n");
  HostReadings readings(root.path(), {});
  readings.open(0);
  const std::int64_t count = 5 * static_cast<std::int64_t>(HostReadings::kMostSamples);
  for (std::int64_t i = 1; i <= count; ++i) {
    if (i == 1001) root.write(kFirmware, "4\n");
    if (i == 1002) root.write(kFirmware, "40000\n");
    readings.read(i * kSecond);
  }
  readings.close((count + 1) * kSecond);
  EXPECT_DOUBLE_EQ(readings.joules().value(), 2.0 * static_cast<double>(count + 1));
  EXPECT_EQ(readings.readings(), count + 1);
  const std::vector<HostSample>& samples = readings.samples();
  EXPECT_LT(samples.size(), HostReadings::kMostSamples);
  EXPECT_GE(samples.size(), HostReadings::kMostSamples / 2);
  std::int64_t throttled = 0;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    if (samples[i].throttle_bits & kThrottleNow) ++throttled;
    const std::int64_t before = i == 0 ? 0 : samples[i - 1].time_ns;
    EXPECT_EQ(samples[i].time_ns - before, samples[0].time_ns);
  }
  EXPECT_EQ(throttled, 1);
}

std::int64_t lines_in(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::int64_t lines = 0;
  for (std::string line; std::getline(file, line);) ++lines;
  return lines;
}

TEST(HostSampler, ReadsByItselfWhileAWindowIsOpenAndOnlyThen) {
  const Root root;
  const std::filesystem::path log = root.path() / "asked";
  root.write_program("usr/bin/vcgencmd", "#!/bin/sh\n[ \"$1\" = get_throttled ] || exit 1\necho >> " + log.string() +
                                             "\necho throttled=0x4\n");
  HostSampler sampler(root.path(), {}, 1);
  EXPECT_EQ(lines_in(log), 0);
  sampler.open();
  while (lines_in(log) < 4) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  sampler.close();
  const std::int64_t readings = sampler.readings().readings(), asked = lines_in(log);
  EXPECT_GE(readings, 3);
  EXPECT_EQ(asked, readings + 1);  // opening asks too
  EXPECT_EQ(sampler.readings().throttled_readings(), readings);
  EXPECT_GT(sampler.reading_ns(), 0);
  EXPECT_LT(sampler.reading_ns(), sampler.readings().window_ns());
  sampler.open();
  sampler.close();
  EXPECT_GT(sampler.readings().readings(), readings);
}

TEST(HostSampler, MayEndWithAWindowOpen) {
  const Root root;
  HostSampler sampler(root.path(), {});
  sampler.open();
}

}  // namespace
}  // namespace edgelab
