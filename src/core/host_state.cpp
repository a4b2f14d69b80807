#include "core/host_state.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <string_view>
#include <utility>

#include "core/ask_program.hpp"
#include "core/host_files.hpp"

namespace edgelab {
namespace fs = std::filesystem;
namespace {

std::optional<double> hottest_zone(const fs::path& root) {
  std::optional<double> hottest;
  for (const fs::path& zone : entries(root / "sys/class/thermal", "thermal_zone")) {
    const auto millidegrees = number_in(first_line(zone / "temp"));
    // Zones that are switched off read 0 or a huge negative number.
    if (!millidegrees || *millidegrees <= 0 || *millidegrees > 200'000) continue;
    hottest = std::max(hottest.value_or(0), static_cast<double>(*millidegrees) / 1000);
  }
  return hottest;
}

// Where the kernel has no thermal zone for the processor (AMD's), its driver's own sensor: the first one is of the whole chip.
std::optional<double> processor_sensor(const fs::path& root) {
  constexpr std::array<std::string_view, 4> kDrivers = {"coretemp", "cpu_thermal", "k10temp", "zenpower"};
  for (const fs::path& chip : entries(root / "sys/class/hwmon", "hwmon")) {
    const std::string driver = first_line(chip / "name");
    if (std::find(kDrivers.begin(), kDrivers.end(), driver) == kDrivers.end()) continue;
    if (const auto millidegrees = number_in(first_line(chip / "temp1_input"))) return static_cast<double>(*millidegrees) / 1000;
  }
  return {};
}

}  // namespace

std::string throttle_names(std::int64_t bits) {
  constexpr std::pair<std::int64_t, const char*> kNames[] = {{kUnderVoltage, "under-voltage"},
                                                             {kFrequencyCapped, "clock rate capped"},
                                                             {kThrottled, "throttled"},
                                                             {kSoftTemperatureLimit, "soft temperature limit"}};
  std::string text;
  for (const auto& [bit, name] : kNames) {
    if (bits & bit) text += (text.empty() ? "" : ", ") + std::string(name);
  }
  return text;
}

MemoryState read_memory_state(const fs::path& root) {
  MemoryState state;
  std::ifstream file(root / "proc/meminfo");
  for (std::string line; std::getline(file, line);) {
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    const std::string_view key = std::string_view(line).substr(0, colon);
    std::int64_t* member = key == "MemTotal"       ? &state.total_bytes
                           : key == "MemAvailable" ? &state.available_bytes
                           : key == "SwapTotal"    ? &state.swap_total_bytes
                           : key == "SwapFree"     ? &state.swap_free_bytes
                                                   : nullptr;
    const std::size_t digits = line.find_first_of("0123456789", colon);
    if (member && digits != std::string::npos)
      *member = number_in(std::string_view(line).substr(digits)).value_or(0) * 1024;
  }
  return state;
}

std::int64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::int64_t all_pages = 0, resident_pages = 0;
  file >> all_pages >> resident_pages;
  return resident_pages * sysconf(_SC_PAGESIZE);
}

std::optional<double> read_celsius(const fs::path& root) {
  const std::optional<double> zone = hottest_zone(root);
  return zone ? zone : processor_sensor(root);
}

std::optional<std::int64_t> read_throttle_bits(const fs::path& root) {
  for (const fs::path& soc : entries(root / "sys/devices/platform", "soc")) {
    for (const fs::path& firmware : entries(soc, "soc")) {
      if (const auto bits = number_in(first_line(firmware / "get_throttled"), 16)) return bits;
    }
  }
  const fs::path vcgencmd = root / "usr/bin/vcgencmd";
  std::error_code error;
  if (!fs::exists(vcgencmd, error)) return {};
  constexpr std::string_view kStart = "throttled=";
  const std::string answer = ask_program({vcgencmd.string(), "get_throttled"}, 2'000'000'000).value_or("");
  return answer.starts_with(kStart) ? number_in(std::string_view(answer).substr(kStart.size()), 16) : std::nullopt;
}

std::optional<std::int64_t> read_throttle_count(const fs::path& root) {
  std::optional<std::int64_t> most;
  for (const fs::path& core : entries(root / "sys/devices/system/cpu", "cpu")) {
    for (const char* file : {"core_throttle_count", "package_throttle_count"}) {
      const auto count = number_in(first_line(core / "thermal_throttle" / file));
      if (count) most = std::max(most.value_or(0), *count);
    }
  }
  return most;
}

ThermalState read_thermal_state(const fs::path& root) {
  return {read_celsius(root), read_throttle_bits(root), read_throttle_count(root)};
}

std::optional<double> read_frequency_hz(const fs::path& root, const std::vector<int>& cores) {
  double sum = 0;
  int told = 0;
  for (const int core : cores) {
    const fs::path folder = root / "sys/devices/system/cpu" / ("cpu" + std::to_string(core)) / "cpufreq";
    const auto kilohertz = number_in(first_line(folder / "scaling_cur_freq"));
    if (!kilohertz || *kilohertz <= 0) continue;
    sum += 1000.0 * static_cast<double>(*kilohertz);
    ++told;
  }
  return told > 0 ? std::optional(sum / told) : std::nullopt;
}

std::string read_governor(const fs::path& root) {
  for (const fs::path& core : entries(root / "sys/devices/system/cpu", "cpu")) {
    const std::string governor = first_line(core / "cpufreq/scaling_governor");
    if (!governor.empty()) return governor;
  }
  return {};
}

}  // namespace edgelab
