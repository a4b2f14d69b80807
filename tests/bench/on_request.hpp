#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <iostream>
#include <string>
#include <vector>

#include "core/machine.hpp"

// Measuring on request, for versus_peers.py, which runs several programs by turns. A line on stdin asks, a line on stdout
// answers:  "run SECONDS": the median milliseconds of as many calls as fit;  "peak": the process's highest resident bytes;
// "calls NUMBER": NUMBER calls, for what counts instructions (tests/bench/instructions), answered by "done".
namespace edgelab::bench {

inline double median_ms(const std::function<void()>& call, double seconds) {
  using Clock = std::chrono::steady_clock;
  const auto ms = [](Clock::duration d) { return std::chrono::duration<double, std::milli>(d).count(); };
  call();
  std::vector<double> times;
  const auto begin = Clock::now();
  while (times.size() < 3 || ms(Clock::now() - begin) < 1e3 * seconds) {
    const auto before = Clock::now();
    call();
    times.push_back(ms(Clock::now() - before));
  }
  std::nth_element(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2), times.end());
  return times[times.size() / 2];
}

// Until stdin ends. `about` follows the "ready" that is said first: the floating-point operations of one call.
inline void measure_on_request(double flop, const std::function<void()>& call) {
  std::cout << "ready " << flop << std::endl;
  std::string what;
  double seconds = 0;
  int number = 0;
  while (std::cin >> what) {
    if (what == "run" && std::cin >> seconds) {
      std::cout << median_ms(call, seconds) << std::endl;
    } else if (what == "calls" && std::cin >> number) {
      for (int i = 0; i < number; ++i) call();
      std::cout << "done" << std::endl;
    } else if (what == "peak") {
      std::cout << peak_resident_bytes() << std::endl;
    } else {
      std::cout << "unknown " << what << std::endl;
    }
  }
}

}  // namespace edgelab::bench
