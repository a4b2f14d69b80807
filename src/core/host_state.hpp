#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace edgelab {

// What changes on a host while it runs, read from the kernel's files below `root`: "/", or a folder that a test has filled.
// What the host can't tell is absent, never guessed.

struct MemoryState {
  std::int64_t total_bytes = 0, available_bytes = 0;
  std::int64_t swap_total_bytes = 0, swap_free_bytes = 0;
  bool operator==(const MemoryState&) const = default;
};
MemoryState read_memory_state(const std::filesystem::path& root);
// Resident set of this process, bytes.
std::int64_t resident_bytes();

// The lowest bits of a Raspberry Pi's `vcgencmd get_throttled` are about now; 16 bits higher, the same since the start.
inline constexpr std::int64_t kUnderVoltage = 1, kFrequencyCapped = 2, kThrottled = 4, kSoftTemperatureLimit = 8;
inline constexpr std::int64_t kThrottleNow = kUnderVoltage | kFrequencyCapped | kThrottled | kSoftTemperatureLimit;
inline constexpr int kSinceStartShift = 16;
// "under-voltage, throttled": what the lowest of these bits say, in their order; "" if none is set.
std::string throttle_names(std::int64_t bits);

struct ThermalState {
  std::optional<double> celsius;              // the hottest zone
  std::optional<std::int64_t> throttle_bits;  // Raspberry Pi: as above
  std::optional<std::int64_t>
      throttle_count;  // x86: times that a core was slowed down by heat since the start, most of a core
  bool operator==(const ThermalState&) const = default;
};
// Asks vcgencmd where the kernel has no file for it, and waits two seconds at most for its answer.
ThermalState read_thermal_state(const std::filesystem::path& root);

// The parts of it. Celsius: where no zone tells, the processor's own sensor.
std::optional<double> read_celsius(const std::filesystem::path& root);
std::optional<std::int64_t> read_throttle_bits(const std::filesystem::path& root);
std::optional<std::int64_t> read_throttle_count(const std::filesystem::path& root);

// Mean of what the governor has these cores at just now, those that tell. Not /proc/cpuinfo's: in a virtual machine that is
// a constant.
std::optional<double> read_frequency_hz(const std::filesystem::path& root, const std::vector<int>& cores);

// Of the first core that has one: "ondemand", "performance"; "" where the kernel doesn't tell.
std::string read_governor(const std::filesystem::path& root);

}  // namespace edgelab
