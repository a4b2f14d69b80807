#include <charconv>
#include <map>
#include <sstream>

#include "core/ask_program.hpp"
#include "core/power/power_meter.hpp"

namespace edgelab {
namespace {

constexpr std::int64_t kPatienceNs = 2'000'000'000;

// "  VDD_CORE_A current(7)=1.49800000A" and "  VDD_CORE_V volt(15)=0.87219300V": current times voltage of the rails that have both.
std::optional<double> watt_of(const std::string& answer) {
  std::map<std::string, double> amperes, volts;
  std::istringstream lines(answer);
  for (std::string rail, value; lines >> rail >> value;) {
    const std::size_t equals = value.find('=');
    if (equals == std::string::npos || rail.size() < 3) continue;
    double number = 0;
    const auto [end, error] = std::from_chars(value.data() + equals + 1, value.data() + value.size(), number);
    if (error != std::errc{}) continue;
    const std::string name = rail.substr(0, rail.size() - 2);
    if (rail.ends_with("_A")) amperes[name] = number;
    if (rail.ends_with("_V")) volts[name] = number;
  }
  std::optional<double> sum;
  for (const auto& [name, current] : amperes) {
    if (const auto voltage = volts.find(name); voltage != volts.end()) sum = sum.value_or(0) + current * voltage->second;
  }
  return sum;
}

}  // namespace

std::optional<PowerSensor> find_pmic_power(const std::filesystem::path& root) {
  const std::filesystem::path program = root / "usr/bin/vcgencmd";
  std::error_code error;
  if (!std::filesystem::exists(program, error)) return {};
  PowerSensor sensor{"pmic", [program] { return watt_of(ask_program({program.string(), "pmic_read_adc"}, kPatienceNs).value_or("")); }};
  return sensor.watt() ? std::optional(sensor) : std::nullopt;  // boards before the 5 have vcgencmd, and no such chip
}

}  // namespace edgelab
