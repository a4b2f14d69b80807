#pragma once

#include <cstdint>
#include <string>

// Numbers as a person reads them: three or four figures and a scaled unit.
namespace edgelab::results {

std::string duration_text(double nanoseconds);         // "12.3 µs", "4.01 ms", "1.24 s", "3 min 20 s"
std::string bytes_text(double bytes);                  // "13.6 MB", decimal units
std::string count_text(double count);                  // "3.50 M", "640"
std::string share_text(double share);                  // 0.9453125 → "94.53 %"
std::string joules_text(double joules);                // "3.25 J", "1.20 mJ"
std::string rate_text(double per_second);              // "182.4"
std::string figures_text(double number, int figures);  // rounded, no exponent between 1e-4 and 1e15

// "2026-11-23 04:39:20 UTC"
std::string time_text(std::int64_t wall_ns);

}  // namespace edgelab::results
