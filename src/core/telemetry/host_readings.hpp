#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/power/power_meter.hpp"

namespace edgelab {

// What a host told at one moment.
struct HostSample {
  std::int64_t time_ns = 0;                              // by now_ns()
  double frequency_hz = 0, celsius = 0, power_watt = 0;  // NaN where the host doesn't tell
  // As a Raspberry Pi's firmware gives them; the lowest four bits also hold what came and went since the sample before. Of
  // x86, which counts: kThrottled if heat slowed a core down since then.
  std::int64_t throttle_bits = 0;
  std::int64_t resident_bytes = 0;  // of this process
};

// What a host used and told within windows, the stretches of a job that are measured. Its owner says when to read; nothing
// is known of what lies between two windows. Not for several threads at once.
class HostReadings {
 public:
  // Reads below `root`: "/", or a folder that a test has filled. `cores`: those whose frequency counts.
  HostReadings(std::filesystem::path root, std::vector<int> cores);

  // Times by one clock, ascending. Opening and closing read the sensors too, so that energy is that of the window and no
  // more; opening makes no sample.
  void open(std::int64_t now_ns);
  void read(std::int64_t now_ns);  // within a window
  void close(std::int64_t now_ns);

  // Thinned evenly once there are kMostSamples, so that a job of a day has a table of the same size as one of a minute.
  const std::vector<HostSample>& samples() const { return samples_; }
  static constexpr std::size_t kMostSamples = 2048;

  const std::string& power_source() const { return meter_.source(); }  // "" where nothing can tell
  // Of all windows so far; nothing where no meter can tell, or it failed in one of them.
  std::optional<double> joules() const;
  std::int64_t window_ns() const { return window_ns_; }
  std::int64_t readings() const { return readings_; }                      // that made samples, before thinning
  std::int64_t throttled_readings() const { return throttled_readings_; }  // of them
  std::int64_t throttle_bits() const { return throttle_bits_; }            // the lowest four bits of all of them

 private:
  double read_power(std::int64_t now_ns, bool within);
  std::int64_t read_throttling();
  void keep(HostSample sample);

  std::filesystem::path root_;
  std::vector<int> cores_;
  PowerMeter meter_;
  double joules_ = 0, joules_before_ = 0;
  bool power_failed_ = false;
  std::int64_t opened_ns_ = 0, window_ns_ = 0;
  std::int64_t since_start_ = 0, throttle_count_ = 0;  // as the last reading gave them
  std::int64_t readings_ = 0, throttled_readings_ = 0, throttle_bits_ = 0;
  std::int64_t stride_ = 1, passed_over_ = 0;  // every how many readings is kept; bits of those since the last kept one
  std::vector<HostSample> samples_;
};

}  // namespace edgelab
