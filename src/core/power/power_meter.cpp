#include "core/power/power_meter.hpp"

#include <chrono>
#include <cmath>
#include <thread>
#include <utility>

#include "core/clock.hpp"

namespace edgelab {

PowerMeter::PowerMeter(const std::filesystem::path& root) {
  if (auto board = find_hwmon_power(root)) {
    source_ = board->name;
    meter_ = std::move(*board);
  } else if (auto pmic = find_pmic_power(root)) {
    source_ = pmic->name;
    meter_ = std::move(*pmic);
  } else if (auto rapl = find_rapl(root)) {
    source_ = rapl->name;
    meter_ = std::move(*rapl);
  }
}

std::optional<PowerMeter::Reading> PowerMeter::read(std::int64_t now_ns) {
  const auto* sensor = std::get_if<PowerSensor>(&meter_);
  const auto* counter = std::get_if<EnergyCounter>(&meter_);
  if (sensor == nullptr && counter == nullptr) return {};
  const std::optional<double> value = sensor != nullptr ? sensor->watt() : counter->joules();
  const std::optional<Last> before = std::exchange(last_, value ? std::optional(Last{now_ns, *value}) : std::nullopt);
  if (!value) return {};
  const double seconds = before ? 1e-9 * static_cast<double>(now_ns - before->time_ns) : 0.0;
  double used = 0;
  if (before) used = sensor != nullptr ? 0.5 * (before->value + *value) * seconds : *value - before->value;
  joules_ += used;
  const double mean = seconds > 0 ? used / seconds : std::nan("");
  return Reading{joules_, sensor != nullptr ? *value : mean};
}

std::optional<double> measure_resting_watt(const std::filesystem::path& root, std::int64_t duration_ns) {
  constexpr int kReadings = 10;
  PowerMeter meter(root);
  if (meter.source().empty()) return {};
  const std::int64_t began = now_ns();
  const auto first = meter.read(began);
  std::optional<PowerMeter::Reading> last;
  std::int64_t ended = began;
  for (int i = 0; first && i < kReadings; ++i) {
    std::this_thread::sleep_for(std::chrono::nanoseconds(duration_ns / kReadings));
    ended = now_ns();
    last = meter.read(ended);
    if (!last) return {};
  }
  if (!last || last->joules <= first->joules) return {};
  return 1e9 * (last->joules - first->joules) / static_cast<double>(ended - began);
}

}  // namespace edgelab
