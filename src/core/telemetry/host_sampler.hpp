#pragma once

#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <thread>
#include <vector>

#include "core/telemetry/host_readings.hpp"

namespace edgelab {

// Reads a host's sensors in a thread of its own while a window is open, and at the window's two ends on the caller's, so
// that nothing is read between the end of the measurement and the end of the window.
//
// What that costs the measurement: a reading of files took 0.1 ms (a virtual machine) to 0.26 ms (a made-up tree as large as a
// Raspberry Pi's), ten times a second; asking vcgencmd for a Raspberry Pi 5's power takes milliseconds. So after a reading
// the thread rests at least 99 times as long as it took: whatever the sensors, one core loses 1 % at most. reading_ns() says
// what it was.
class HostSampler {
 public:
  static constexpr std::int64_t kIntervalNs = 100'000'000;
  static constexpr std::int64_t kRestOverReading = 99;

  HostSampler(std::filesystem::path root, std::vector<int> cores, std::int64_t interval_ns = kIntervalNs);
  ~HostSampler();  // ends an open window
  HostSampler(const HostSampler&) = delete;
  HostSampler& operator=(const HostSampler&) = delete;

  // Both block for one reading. A window that is open can't be opened.
  void open();
  void close();

  // Between windows only.
  const HostReadings& readings() const { return readings_; }
  std::int64_t reading_ns() const { return reading_ns_; }  // in readings within windows, the first of each not counted
  std::int64_t interval_ns() const { return interval_ns_; }

 private:
  void work();
  std::int64_t read();

  const std::int64_t interval_ns_;
  std::mutex mutex_;  // of all below
  std::condition_variable changed_;
  HostReadings readings_;
  std::int64_t reading_ns_ = 0;
  bool open_ = false, ends_ = false;
  std::thread thread_;
};

}  // namespace edgelab
