#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <variant>

namespace edgelab {

// What tells power now, in watt, or counts energy since some moment, in joules. Nothing where a reading fails.
struct PowerSensor {
  std::string name;
  std::function<std::optional<double>()> watt;
};
struct EnergyCounter {
  std::string name;
  std::function<std::optional<double>()> joules;
};

// Each looks below `root`: "/", or a folder that a test has filled.
// Sensors of the board's supply that the kernel's hwmon drivers read (INA219 and its like, ACPI's power meter): powerN_input in
// microwatt, powerN_average, or currN_input in milliampere times inN_input in millivolt. A sensor of one device's power, such as
// a graphics card's, is not taken for the board's.
std::optional<PowerSensor> find_hwmon_power(const std::filesystem::path& root);
// The power-management chip of a Raspberry Pi 5: current times voltage of every rail of `vcgencmd pmic_read_adc`. What USB
// devices and the 5 V pins draw, and what the converters lose, is not in it.
std::optional<PowerSensor> find_pmic_power(const std::filesystem::path& root);
// Intel's and AMD's running average power limit, /sys/class/powercap: packages and their memory. Counters go round at
// max_energy_range_uj. (David et al., RAPL: Memory Power Estimation and Capping, ISLPED 2010.) Root alone may read them since
// Linux 5.10.
std::optional<EnergyCounter> find_rapl(const std::filesystem::path& root);

// This host's power, by the first of the above that there is. Not for several threads at once.
class PowerMeter {
 public:
  explicit PowerMeter(const std::filesystem::path& root);

  // "hwmon ina219", "pmic", "rapl package-0, dram"; "" where nothing can tell.
  const std::string& source() const { return source_; }

  struct Reading {
    double joules = 0;  // since the first reading; a sensor's power is taken to change linearly between readings
    double watt = 0;    // of a sensor: now; of a counter: mean since the reading before, NaN at the first one
  };
  // Nothing where there is no meter or it fails to tell; what was used until the next reading is then in no sum.
  std::optional<Reading> read(std::int64_t now_ns);

 private:
  struct Last {
    std::int64_t time_ns;
    double value;  // watt of a sensor, joules of a counter
  };
  std::variant<std::monostate, PowerSensor, EnergyCounter> meter_;
  std::string source_;
  std::optional<Last> last_;
  double joules_ = 0;
};

// Mean power over `duration_ns` in which the caller does nothing but wait. Blocks for as long, unless there is no meter.
std::optional<double> measure_resting_watt(const std::filesystem::path& root, std::int64_t duration_ns);

}  // namespace edgelab
