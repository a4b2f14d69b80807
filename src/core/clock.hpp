#pragma once

#include <cstdint>
#include <string>

namespace edgelab {

// Monotonic nanoseconds; only differences mean anything.
std::int64_t now_ns();
// Nanoseconds for which the calling thread had a processor. Stands still while a cgroup's quota makes it wait.
std::int64_t thread_cpu_ns();
// Nanoseconds since 1970, UTC.
std::int64_t wall_clock_ns();
// "2026-11-23T04:39:20Z"
std::string utc_text(std::int64_t wall_clock_ns);

}  // namespace edgelab
