#include "core/host_state.hpp"

#include <gtest/gtest.h>

#include "core/ask_program.hpp"
#include "support/host_root.hpp"

namespace edgelab {
namespace {

using Root = test::HostRoot;

TEST(MemoryState, IsReadFromMeminfoInBytes) {
  const Root root;
  root.write(
      "proc/meminfo",
      "MemTotal:        8000 kB\nMemFree:  1 kB\nMemAvailable:    5000 kB\nSwapTotal: 100 kB\nSwapFree: 40 kB\n");
  EXPECT_EQ(read_memory_state(root.path()), (MemoryState{8'192'000, 5'120'000, 102'400, 40'960}));
}

TEST(MemoryState, IsZeroWhereTheKernelTellsNothing) {
  const Root root;
  EXPECT_EQ(read_memory_state(root.path()), MemoryState{});
  root.write("proc/meminfo", "MemTotal\nMemAvailable: x kB\n:\n");
  EXPECT_EQ(read_memory_state(root.path()), MemoryState{});
}

TEST(ThermalState, TakesTheHottestZoneThatIsSwitchedOn) {
  const Root root;
  root.write("sys/class/thermal/thermal_zone0/temp", "48312\n");
  root.write("sys/class/thermal/thermal_zone1/temp", "61850\n");
  root.write("sys/class/thermal/thermal_zone2/temp", "-274000\n");
  root.write("sys/class/thermal/cooling_device0/temp", "99000\n");
  EXPECT_DOUBLE_EQ(read_thermal_state(root.path()).celsius.value(), 61.85);
}

TEST(ThermalState, IsAbsentWhereNothingCanTell) {
  const Root root;
  EXPECT_EQ(read_thermal_state(root.path()), ThermalState{});
  root.write("sys/class/thermal/thermal_zone0/temp", "no\n");
  EXPECT_EQ(read_thermal_state(root.path()), ThermalState{});
}

TEST(ThermalState, ReadsAPisThrottleBitsFromTheKernelBeforeAskingVcgencmd) {
  const Root root;
  root.write_program("usr/bin/vcgencmd", "#!/bin/sh\n[ \"$1\" = get_throttled ] && echo throttled=0x50005\n");
  EXPECT_EQ(read_thermal_state(root.path()).throttle_bits, 0x50005);
  root.write("sys/devices/platform/soc/soc:firmware/get_throttled", "20000\n");
  EXPECT_EQ(read_thermal_state(root.path()).throttle_bits, 0x20000);
}

TEST(ThermalState, TakesNoAnswerFromAVcgencmdThatFailsOrTellsSomethingElse) {
  const Root root;
  root.write_program("usr/bin/vcgencmd", "#!/bin/sh\necho throttled=0x1; exit 1\n");
  EXPECT_FALSE(read_thermal_state(root.path()).throttle_bits);
  root.write_program("usr/bin/vcgencmd", "#!/bin/sh\necho VCHI initialization failed\n");
  EXPECT_FALSE(read_thermal_state(root.path()).throttle_bits);
}

TEST(ThermalState, CountsTheThrottlingOfTheCoreThatHadMostOfIt) {
  const Root root;
  root.write("sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count", "3\n");
  root.write("sys/devices/system/cpu/cpu1/thermal_throttle/core_throttle_count", "7\n");
  root.write("sys/devices/system/cpu/cpu1/thermal_throttle/package_throttle_count", "5\n");
  EXPECT_EQ(read_thermal_state(root.path()).throttle_count, 7);
}

TEST(Celsius, IsTheProcessorsOwnSensorsWhereNoZoneTells) {
  const Root root;
  root.write("sys/class/hwmon/hwmon0/name", "nvme\n");
  root.write("sys/class/hwmon/hwmon0/temp1_input", "70000\n");
  root.write("sys/class/hwmon/hwmon1/name", "k10temp\n");
  root.write("sys/class/hwmon/hwmon1/temp1_input", "55125\n");
  EXPECT_DOUBLE_EQ(read_celsius(root.path()).value(), 55.125);
  root.write("sys/class/thermal/thermal_zone0/temp", "50000\n");
  EXPECT_DOUBLE_EQ(read_celsius(root.path()).value(), 50.0);
}

TEST(Frequency, IsTheMeanOfTheCoresThatTell) {
  const Root root;
  EXPECT_FALSE(read_frequency_hz(root.path(), {0, 1, 2}));
  root.write("sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq", "1500000\n");
  root.write("sys/devices/system/cpu/cpu1/cpufreq/scaling_cur_freq", "600000\n");
  root.write("sys/devices/system/cpu/cpu3/cpufreq/scaling_cur_freq", "9000000\n");  // not asked for
  EXPECT_DOUBLE_EQ(read_frequency_hz(root.path(), {0, 1, 2}).value(), 1.05e9);
}

TEST(Governor, IsThatOfTheFirstCoreThatHasOne) {
  const Root root;
  EXPECT_EQ(read_governor(root.path()), "");
  root.write("sys/devices/system/cpu/cpu0/online", "1\n");
  root.write("sys/devices/system/cpu/cpu1/cpufreq/scaling_governor", "ondemand\n");
  EXPECT_EQ(read_governor(root.path()), "ondemand");
}

TEST(AskProgram, GivesWhatTheProgramWritesAndNothingIfItFailsOrIsMissing) {
  EXPECT_EQ(ask_program({"/bin/sh", "-c", "cat; echo out; echo err >&2"}, 5'000'000'000), "out\n");
  EXPECT_FALSE(ask_program({"/bin/sh", "-c", "echo out; exit 3"}, 5'000'000'000));
  EXPECT_FALSE(ask_program({"/no/such/program"}, 5'000'000'000));
}

TEST(AskProgram, EndsAProgramThatTakesTooLong) { EXPECT_FALSE(ask_program({"/bin/sleep", "1000"}, 50'000'000)); }

TEST(AskProgram, HandsArgumentsOnWithoutAShell) {
  EXPECT_EQ(ask_program({"/bin/echo", "$(id); a  b"}, 5'000'000'000), "$(id); a  b\n");
}

}  // namespace
}  // namespace edgelab
