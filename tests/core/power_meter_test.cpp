#include "core/power/power_meter.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "support/host_root.hpp"

namespace edgelab {
namespace {

using Root = test::HostRoot;
constexpr std::int64_t kSecond = 1'000'000'000;

void write_zone(const Root& root, const std::string& zone, const std::string& name, std::int64_t microjoules, std::int64_t range = 262'143'328'850) {
  const std::string folder = "sys/class/powercap/" + zone + "/";
  root.write(folder + "name", name + "\n");
  root.write(folder + "max_energy_range_uj", std::to_string(range) + "\n");
  root.write(folder + "energy_uj", std::to_string(microjoules) + "\n");
}

TEST(PowerMeter, IsNoneWhereNothingCanTell) {
  const Root root;
  PowerMeter meter(root.path());
  EXPECT_EQ(meter.source(), "");
  EXPECT_FALSE(meter.read(0));
  EXPECT_FALSE(measure_resting_watt(root.path(), 3600 * kSecond));  // and doesn't wait for it
}

TEST(Rapl, AddsUpPackagesAndMemoryAndCountsNothingTwice) {
  const Root root;
  write_zone(root, "intel-rapl:0", "package-0", 1'000'000);
  write_zone(root, "intel-rapl:0:0", "core", 500'000);
  write_zone(root, "intel-rapl:0:1", "dram", 200'000);
  write_zone(root, "intel-rapl:1", "package-1", 0);
  write_zone(root, "intel-rapl:2", "psys", 9'000'000);
  write_zone(root, "intel-rapl-mmio:0", "package-0", 1'000'000);
  PowerMeter meter(root.path());
  EXPECT_EQ(meter.source(), "rapl package-0, dram, package-1");
  const auto first = meter.read(10 * kSecond);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->joules, 0);
  EXPECT_TRUE(std::isnan(first->watt));
  write_zone(root, "intel-rapl:0", "package-0", 21'000'000);
  write_zone(root, "intel-rapl:0:0", "core", 15'500'000);
  write_zone(root, "intel-rapl:0:1", "dram", 4'200'000);
  write_zone(root, "intel-rapl:1", "package-1", 8'000'000);
  write_zone(root, "intel-rapl:2", "psys", 99'000'000);
  write_zone(root, "intel-rapl-mmio:0", "package-0", 21'000'000);
  const auto second = meter.read(12 * kSecond);
  ASSERT_TRUE(second);
  EXPECT_DOUBLE_EQ(second->joules, 20 + 4 + 8);
  EXPECT_DOUBLE_EQ(second->watt, 16);
}

TEST(Rapl, GoesOnWhereTheCounterGoesRound) {
  const Root root;
  write_zone(root, "intel-rapl:0", "package-0", 65'000'000, 65'532'610);
  PowerMeter meter(root.path());
  ASSERT_TRUE(meter.read(0));
  write_zone(root, "intel-rapl:0", "package-0", 1'000'000, 65'532'610);
  EXPECT_DOUBLE_EQ(meter.read(kSecond)->joules, 1.532610);
  write_zone(root, "intel-rapl:0", "package-0", 3'000'000, 65'532'610);
  EXPECT_DOUBLE_EQ(meter.read(2 * kSecond)->joules, 3.532610);
}

TEST(Rapl, GuessesNothingWhereACounterGoesBackAndNobodySaysHowFarItGoes) {
  const Root root;
  write_zone(root, "intel-rapl:0", "package-0", 5'000'000, 0);
  PowerMeter meter(root.path());
  ASSERT_TRUE(meter.read(0));
  write_zone(root, "intel-rapl:0", "package-0", 1'000'000, 0);
  EXPECT_FALSE(meter.read(kSecond));
}

TEST(Rapl, IsNoneWhereTheCountersMayNotBeRead) {
  const Root root;
  root.write("sys/class/powercap/intel-rapl:0/name", "package-0\n");
  EXPECT_FALSE(find_rapl(root.path()));
}

TEST(HwmonPower, ReadsAnIna219sPowerRegisterInMicrowatt) {
  const Root root;
  root.write("sys/class/hwmon/hwmon2/name", "ina219\n");
  root.write("sys/class/hwmon/hwmon2/power1_input", "6250000\n");
  root.write("sys/class/hwmon/hwmon2/curr1_input", "9999\n");
  root.write("sys/class/hwmon/hwmon2/in1_input", "9999\n");
  PowerMeter meter(root.path());
  EXPECT_EQ(meter.source(), "hwmon ina219");
  EXPECT_DOUBLE_EQ(meter.read(0)->watt, 6.25);
}

TEST(HwmonPower, MultipliesCurrentAndVoltageOfEachChannelOfAChipWithoutOne) {
  const Root root;
  root.write("sys/class/hwmon/hwmon0/name", "ina3221\n");
  root.write("sys/class/hwmon/hwmon0/curr1_input", "800\n");
  root.write("sys/class/hwmon/hwmon0/in1_input", "5000\n");
  root.write("sys/class/hwmon/hwmon0/curr2_input", "100\n");
  root.write("sys/class/hwmon/hwmon0/in2_input", "3300\n");
  root.write("sys/class/hwmon/hwmon0/curr2_crit", "9000\n");
  root.write("sys/class/hwmon/hwmon0/in4_input", "2\n");  // across a shunt
  EXPECT_NEAR(find_hwmon_power(root.path())->watt().value(), 4.33, 1e-12);
}

TEST(HwmonPower, TakesWhatComesInAndNotItsPartsToo) {
  const Root root;
  root.write("sys/class/hwmon/hwmon0/name", "ina3221\n");
  const char* labels[] = {"VDD_IN", "VDD_CPU_GPU_CV", "VDD_SOC"};
  for (int channel = 1; channel <= 3; ++channel) {
    const std::string number = std::to_string(channel);
    root.write("sys/class/hwmon/hwmon0/in" + number + "_label", std::string(labels[channel - 1]) + "\n");
    root.write("sys/class/hwmon/hwmon0/in" + number + "_input", "5000\n");
    root.write("sys/class/hwmon/hwmon0/curr" + number + "_input", std::to_string(2000 / channel) + "\n");
  }
  EXPECT_DOUBLE_EQ(find_hwmon_power(root.path())->watt().value(), 10.0);
}

TEST(HwmonPower, ReadsTheAverageOfAServersSupply) {
  const Root root;
  root.write("sys/class/hwmon/hwmon0/name", "power_meter\n");
  root.write("sys/class/hwmon/hwmon0/power1_average", "180000000\n");
  root.write("sys/class/hwmon/hwmon0/power1_average_interval", "1000\n");
  EXPECT_DOUBLE_EQ(find_hwmon_power(root.path())->watt().value(), 180.0);
}

TEST(HwmonPower, DoesNotTakeOneDevicesPowerForTheBoards) {
  const Root root;
  root.write("sys/class/hwmon/hwmon0/name", "amdgpu\n");
  root.write("sys/class/hwmon/hwmon0/power1_average", "40000000\n");
  EXPECT_FALSE(find_hwmon_power(root.path()));
}

TEST(HwmonPower, TellsNothingWhenAChannelFails) {
  const Root root;
  root.write("sys/class/hwmon/hwmon0/name", "ina226\n");
  root.write("sys/class/hwmon/hwmon0/power1_input", "5000000\n");
  PowerMeter meter(root.path());
  ASSERT_TRUE(meter.read(0));
  root.write("sys/class/hwmon/hwmon0/power1_input", "");
  EXPECT_FALSE(meter.read(kSecond));
  root.write("sys/class/hwmon/hwmon0/power1_input", "7000000\n");
  EXPECT_EQ(meter.read(2 * kSecond)->joules, 0);  // what went by meanwhile is nobody's guess
  EXPECT_DOUBLE_EQ(meter.read(3 * kSecond)->joules, 7);
}

TEST(PowerMeter, TakesAPowerThatChangesLinearlyBetweenReadings) {
  const Root root;
  root.write("sys/class/hwmon/hwmon0/name", "ina219\n");
  root.write("sys/class/hwmon/hwmon0/power1_input", "2000000\n");
  PowerMeter meter(root.path());
  ASSERT_TRUE(meter.read(0));
  root.write("sys/class/hwmon/hwmon0/power1_input", "4000000\n");
  EXPECT_DOUBLE_EQ(meter.read(kSecond / 2)->joules, 1.5);
  EXPECT_DOUBLE_EQ(meter.read(3 * kSecond / 2)->joules, 5.5);
}

// What a Raspberry Pi 5 writes, cut short.
constexpr const char* kPmic = R"(#!/bin/sh
[ "$1" = pmic_read_adc ] || exit 1
cat <<'END'
   3V3_SYS_A current(1)=0.08000000A
   VDD_CORE_A current(7)=1.50000000A
   3V3_SYS_V volt(9)=3.30000000V
  VDD_CORE_V volt(15)=0.87000000V
  EXT5V_V volt(24)=5.15000000V
    BATT_V volt(25)=0.00000000V
END
)";

TEST(PmicPower, IsCurrentTimesVoltageOfTheRailsThatHaveBoth) {
  const Root root;
  root.write_program("usr/bin/vcgencmd", kPmic);
  PowerMeter meter(root.path());
  EXPECT_EQ(meter.source(), "pmic");
  EXPECT_NEAR(meter.read(0)->watt, 0.08 * 3.3 + 1.5 * 0.87, 1e-12);
}

TEST(PmicPower, IsNoneOnABoardWithoutSuchAChip) {
  const Root root;
  root.write_program("usr/bin/vcgencmd", "#!/bin/sh\necho 'error=1 error_msg=\"Command not registered\"'\nexit 255\n");
  EXPECT_FALSE(find_pmic_power(root.path()));
}

TEST(PowerMeter, PrefersTheBoardsSupplyToThePmicAndThatToTheProcessorAlone) {
  const Root root;
  write_zone(root, "intel-rapl:0", "package-0", 0);
  EXPECT_EQ(PowerMeter(root.path()).source(), "rapl package-0");
  root.write_program("usr/bin/vcgencmd", kPmic);
  EXPECT_EQ(PowerMeter(root.path()).source(), "pmic");
  root.write("sys/class/hwmon/hwmon0/name", "ina219\n");
  root.write("sys/class/hwmon/hwmon0/power1_input", "1\n");
  EXPECT_EQ(PowerMeter(root.path()).source(), "hwmon ina219");
}

TEST(RestingPower, IsTheMeanWhileTheCallerWaits) {
  const Root root;
  root.write("sys/class/hwmon/hwmon0/name", "ina219\n");
  root.write("sys/class/hwmon/hwmon0/power1_input", "2500000\n");
  EXPECT_NEAR(measure_resting_watt(root.path(), kSecond / 100).value(), 2.5, 1e-9);
}

TEST(RestingPower, IsUnknownWhereTheCounterStandsStill) {
  const Root root;
  write_zone(root, "intel-rapl:0", "package-0", 123);
  EXPECT_FALSE(measure_resting_watt(root.path(), kSecond / 100));
}

}  // namespace
}  // namespace edgelab
