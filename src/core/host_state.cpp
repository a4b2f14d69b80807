#include "core/host_state.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <string_view>
#include <vector>

#include "core/ask_program.hpp"

namespace edgelab {
namespace fs = std::filesystem;
namespace {

std::string first_line(const fs::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

std::optional<std::int64_t> number_in(std::string_view text, int base = 10) {
  if (base == 16 && text.starts_with("0x")) text.remove_prefix(2);
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error != std::errc{} || end == text.data()) return {};
  return number;
}

// Folders below `folder` whose name begins so, sorted, so that the answer doesn't depend on the file system's order.
std::vector<fs::path> entries(const fs::path& folder, std::string_view prefix) {
  std::vector<fs::path> found;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    if (at->path().filename().string().starts_with(prefix)) found.push_back(at->path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

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

std::optional<std::int64_t> firmware_bits(const fs::path& root) {
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

std::optional<std::int64_t> most_throttled_core(const fs::path& root) {
  std::optional<std::int64_t> most;
  for (const fs::path& core : entries(root / "sys/devices/system/cpu", "cpu")) {
    for (const char* file : {"core_throttle_count", "package_throttle_count"}) {
      const auto count = number_in(first_line(core / "thermal_throttle" / file));
      if (count) most = std::max(most.value_or(0), *count);
    }
  }
  return most;
}

}  // namespace

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

ThermalState read_thermal_state(const fs::path& root) {
  return {hottest_zone(root), firmware_bits(root), most_throttled_core(root)};
}

std::string read_governor(const fs::path& root) {
  for (const fs::path& core : entries(root / "sys/devices/system/cpu", "cpu")) {
    const std::string governor = first_line(core / "cpufreq/scaling_governor");
    if (!governor.empty()) return governor;
  }
  return {};
}

}  // namespace edgelab
