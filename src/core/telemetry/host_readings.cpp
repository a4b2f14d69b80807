#include "core/telemetry/host_readings.hpp"

#include <cmath>
#include <utility>

#include "core/host_state.hpp"

namespace edgelab {

HostReadings::HostReadings(std::filesystem::path root, std::vector<int> cores)
    : root_(std::move(root)), cores_(std::move(cores)), meter_(root_) {}

void HostReadings::open(std::int64_t now_ns) {
  opened_ns_ = now_ns;
  read_throttling();
  read_power(now_ns, false);
}

void HostReadings::read(std::int64_t now_ns) {
  HostSample sample;
  sample.time_ns = now_ns;
  sample.power_watt = read_power(now_ns, true);
  sample.frequency_hz = read_frequency_hz(root_, cores_).value_or(std::nan(""));
  sample.celsius = read_celsius(root_).value_or(std::nan(""));
  sample.throttle_bits = read_throttling();
  sample.resident_bytes = resident_bytes();
  keep(sample);
}

void HostReadings::close(std::int64_t now_ns) {
  read(now_ns);
  window_ns_ += now_ns - opened_ns_;
}

std::optional<double> HostReadings::joules() const {
  return meter_.source().empty() || power_failed_ || window_ns_ == 0 ? std::nullopt : std::optional(joules_);
}

double HostReadings::read_power(std::int64_t now_ns, bool within) {
  if (meter_.source().empty()) return std::nan("");
  const std::optional<PowerMeter::Reading> reading = meter_.read(now_ns);
  if (!reading) {
    power_failed_ = true;
    return std::nan("");
  }
  if (within) joules_ += reading->joules - joules_before_;
  joules_before_ = reading->joules;
  return reading->watt;
}

std::int64_t HostReadings::read_throttling() {
  if (const auto bits = read_throttle_bits(root_)) {
    const std::int64_t since_start = *bits >> kSinceStartShift & kThrottleNow;
    return *bits | (since_start & ~std::exchange(since_start_, since_start));
  }
  const std::int64_t count = read_throttle_count(root_).value_or(0);
  return count > std::exchange(throttle_count_, count) ? kThrottled : 0;
}

void HostReadings::keep(HostSample sample) {
  const std::int64_t now = sample.throttle_bits & kThrottleNow;
  throttle_bits_ |= now;
  if (now != 0) ++throttled_readings_;
  passed_over_ |= now;
  if (++readings_ % stride_ != 0) return;
  sample.throttle_bits |= std::exchange(passed_over_, 0);
  samples_.push_back(sample);
  if (samples_.size() < kMostSamples) return;
  for (std::size_t i = 0; i < samples_.size() / 2; ++i) {
    const std::int64_t left_out = samples_[2 * i].throttle_bits & kThrottleNow;
    samples_[i] = samples_[2 * i + 1];
    samples_[i].throttle_bits |= left_out;
  }
  samples_.resize(samples_.size() / 2);
  stride_ *= 2;
}

}  // namespace edgelab
