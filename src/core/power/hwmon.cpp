#include <algorithm>
#include <array>
#include <string_view>

#include "core/host_files.hpp"
#include "core/power/power_meter.hpp"

namespace edgelab {
namespace fs = std::filesystem;
namespace {

// One line of supply: a file with its power, or one with its current and one with its voltage.
struct Channel {
  fs::path power, current, voltage;
  std::string label;

  std::optional<double> watt() const {
    if (!power.empty()) {
      const auto microwatt = number_in(first_line(power));
      return microwatt ? std::optional(1e-6 * static_cast<double>(*microwatt)) : std::nullopt;
    }
    const auto milliampere = number_in(first_line(current)), millivolt = number_in(first_line(voltage));
    if (!milliampere || !millivolt) return {};
    return 1e-6 * static_cast<double>(*milliampere) * static_cast<double>(*millivolt);
  }
};

bool measures_supply(std::string_view driver) {
  constexpr std::array<std::string_view, 5> kDrivers = {"ina", "isl28022", "ltc2945", "ltc4151", "power_meter"};
  return std::any_of(kDrivers.begin(), kDrivers.end(), [&](std::string_view start) { return driver.starts_with(start); });
}

std::vector<Channel> channels_of(const fs::path& chip) {
  std::vector<Channel> found;
  for (const char* ending : {"_input", "_average"}) {
    for (const fs::path& file : entries(chip, "power")) {
      const std::string name = file.filename().string();
      if (!name.ends_with(ending)) continue;
      const std::string channel = name.substr(0, name.find('_'));
      found.push_back({file, {}, {}, first_line(chip / (channel + "_label"))});
    }
    if (!found.empty()) return found;
  }
  for (const fs::path& file : entries(chip, "curr")) {
    const std::string name = file.filename().string();
    if (!name.ends_with("_input")) continue;
    const std::string number = name.substr(4, name.find('_') - 4);
    const fs::path voltage = chip / ("in" + number + "_input");
    if (!first_line(voltage).empty()) found.push_back({{}, file, voltage, first_line(chip / ("in" + number + "_label"))});
  }
  return found;
}

// Where one channel is what comes in, as on NVIDIA's Jetson boards, the others are parts of it.
std::vector<Channel> without_parts(std::vector<Channel> channels) {
  const auto comes_in = [](const Channel& channel) { return channel.label.ends_with("_IN"); };
  if (std::any_of(channels.begin(), channels.end(), comes_in)) std::erase_if(channels, [&](const Channel& each) { return !comes_in(each); });
  return channels;
}

}  // namespace

std::optional<PowerSensor> find_hwmon_power(const fs::path& root) {
  std::vector<Channel> channels;
  std::string name = "hwmon";
  for (const fs::path& chip : entries(root / "sys/class/hwmon", "hwmon")) {
    const std::string driver = first_line(chip / "name");
    if (!measures_supply(driver)) continue;
    std::vector<Channel> of_chip = channels_of(chip);
    std::erase_if(of_chip, [](const Channel& channel) { return !channel.watt(); });
    if (of_chip.empty()) continue;
    name += (channels.empty() ? " " : ", ") + driver;
    channels.insert(channels.end(), of_chip.begin(), of_chip.end());
  }
  channels = without_parts(std::move(channels));
  if (channels.empty()) return {};
  return PowerSensor{name, [channels] {
                       std::optional<double> sum = 0.0;
                       for (const Channel& channel : channels) {
                         const std::optional<double> watt = channel.watt();
                         sum = sum && watt ? std::optional(*sum + *watt) : std::nullopt;
                       }
                       return sum;
                     }};
}

}  // namespace edgelab
