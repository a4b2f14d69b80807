// How one host stands: processor, memory, disk, governor, heat.
#include <fmt/format.h>

#include <algorithm>

#include "batch/doctor/findings.hpp"
#include "results/text/units.hpp"

namespace edgelab::batch::doctor {
namespace {

std::string bytes(std::int64_t count) { return results::bytes_text(static_cast<double>(count)); }

bool has(const HostFacts& facts, std::string_view feature) {
  return std::find(facts.features.begin(), facts.features.end(), feature) != facts.features.end();
}

Finding cpu(const HostFacts& facts, const std::string& host, int ranks) {
  const std::string text =
      fmt::format("{}{}{} cores", facts.cpu_model, facts.cpu_model.empty() ? "" : ", ", facts.cores);
  struct Wanted {
    std::string_view architecture, feature, why;
  };
  constexpr Wanted kWanted[] = {
      {"x86_64", "avx2", "AVX2, so everything runs several times slower than it could"},
      {"aarch64", "asimddp", "the dot-product instructions (asimddp), so int8 is not faster than fp32"}};
  for (const Wanted& each : kWanted) {
    if (facts.architecture == each.architecture && !has(facts, each.feature))
      return {host, "cpu", Level::note, text + fmt::format("; the processor lacks {}", each.why), ""};
  }
  if (ranks > facts.cores)
    return {host, "cpu", Level::warn,
            text + fmt::format(", fewer than the {} ranks that the host file gives it", ranks),
            fmt::format("set ranks: {} for this host", facts.cores)};
  return {host, "cpu", Level::ok, text, ""};
}

Finding memory(const HostFacts& facts, const std::string& host, int ranks) {
  constexpr std::int64_t kRank = 256'000'000;  // program, libraries, and MobileNetV2 or DeiT-S with its activations
  const std::string text =
      fmt::format("{} of {} free", bytes(facts.memory.available_bytes), bytes(facts.memory.total_bytes));
  if (facts.memory.available_bytes >= kRank * ranks) return {host, "memory", Level::ok, text, ""};
  return {host, "memory", Level::warn, text + fmt::format(", little for {} rank{}", ranks, ranks == 1 ? "" : "s"),
          "close other programs there (a desktop takes most), or give the host fewer ranks"};
}

std::vector<Finding> swap(const HostFacts& facts, const std::string& host) {
  const std::int64_t used = facts.memory.swap_total_bytes - facts.memory.swap_free_bytes;
  if (facts.memory.swap_total_bytes == 0) return {{host, "swap", Level::ok, "none", ""}};
  const std::string text = fmt::format("{} of {} used", bytes(used), bytes(facts.memory.swap_total_bytes));
  constexpr std::int64_t kMuch = 100'000'000;
  if (used < kMuch) return {{host, "swap", Level::ok, text, ""}};
  return {{host, "swap", Level::note,
           text + ": memory has been short, and what is read back from the card spoils times",
           "sudo swapoff -a before measuring, if memory is large enough"}};
}

Finding disk(const HostFacts& facts, const std::string& host) {
  constexpr std::int64_t kNone = 50'000'000, kLittle = 1'000'000'000;
  const std::string text = bytes(facts.disk_free_bytes) + " free";
  const char* fix = "make room: sudo apt-get clean, old results, data sets";
  if (facts.disk_free_bytes < kNone)
    return {host, "disk", Level::bad, text + ": results and journal can't be written", fix};
  if (facts.disk_free_bytes < kLittle)
    return {host, "disk", Level::warn, text + ": little for data sets and results", fix};
  return {host, "disk", Level::ok, text, ""};
}

Finding governor(const HostFacts& facts, const std::string& host) {
  if (facts.governor.empty())
    return {host, "governor", Level::ok, "the kernel tells of none: the clock rate is not its to choose", ""};
  if (facts.governor == "performance") return {host, "governor", Level::ok, "performance", ""};
  return {host, "governor", Level::warn, facts.governor + ": the clock rate follows the load, so latencies scatter",
          "echo performance | sudo tee /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor"};
}

std::vector<Finding> temperature(const HostFacts& facts, const std::string& host) {
  if (!facts.thermal.celsius) return {};
  constexpr double kWarm = 70, kHot = 80;  // a Pi 4 or 5 slows down from 80 °C on
  const double celsius = *facts.thermal.celsius;
  const std::string text = fmt::format("{:.0f} °C", celsius);
  if (celsius < kWarm) return {{host, "temperature", Level::ok, text, ""}};
  const char* fix = "cool it: a heat sink with a fan, and room around the board";
  if (celsius < kHot)
    return {{host, "temperature", Level::note, text + ", which leaves little below the 80 °C at which boards slow down",
             fix}};
  return {{host, "temperature", Level::warn, text + ": the processor slows down at this heat", fix}};
}

Finding throttle_bits(std::int64_t bits, const std::string& host) {
  const std::string now = throttle_names(bits), before = throttle_names(bits >> kSinceStartShift);
  std::string fix;
  if ((bits | bits >> kSinceStartShift) & kUnderVoltage) {
    fix = "use the official power supply and a short cable";
  } else if (!now.empty() || !before.empty()) {
    fix = "cool it: a heat sink with a fan";
  }
  if (!now.empty())
    return {host, "throttling", Level::warn, "now: " + now + (before.empty() ? "" : "; since the start: " + before),
            fix};
  if (!before.empty())
    return {host, "throttling", Level::note, "not now, but since the start: " + before,
            fix + "; the board forgets it when it is started anew"};
  return {host, "throttling", Level::ok, "none since the start", ""};
}

std::vector<Finding> throttling(const HostFacts& facts, const std::string& host) {
  if (facts.thermal.throttle_bits) return {throttle_bits(*facts.thermal.throttle_bits, host)};
  if (!facts.thermal.throttle_count) return {};
  if (*facts.thermal.throttle_count == 0) return {{host, "throttling", Level::ok, "none since the start", ""}};
  return {{host, "throttling", Level::note,
           fmt::format("slowed down by heat {} times since the start", *facts.thermal.throttle_count),
           "look at fan and dust before measuring"}};
}

}  // namespace

std::vector<Finding> state_findings(const HostFacts& facts, const HostSpec& host) {
  std::vector<Finding> all{cpu(facts, host.name, host.ranks), memory(facts, host.name, host.ranks)};
  const auto add = [&](std::vector<Finding> more) { all.insert(all.end(), more.begin(), more.end()); };
  add(swap(facts, host.name));
  all.push_back(disk(facts, host.name));
  all.push_back(governor(facts, host.name));
  add(temperature(facts, host.name));
  add(throttling(facts, host.name));
  return all;
}

}  // namespace edgelab::batch::doctor
