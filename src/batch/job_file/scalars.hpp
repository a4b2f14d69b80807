#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace edgelab::batch {

// The scalars of job files. Each reader takes the whole text or gives nothing; each writer's text reads back as the same
// value.

std::optional<bool> read_boolean(std::string_view text);          // true false yes no on off (also True, TRUE)
std::optional<std::int64_t> read_integer(std::string_view text);  // decimal, no leading zeros, no fraction
std::optional<double> read_number(std::string_view text);         // 3, 0.5, 1e-4; finite
// A decimal number and a unit: ns us ms s m h ("12ms", "1.5h"); nanoseconds, rounded. At most 90 days, so that the count
// is exact in a double too.
std::optional<std::int64_t> read_duration(std::string_view text);
// A whole number of bytes, or a decimal number and a unit: B, KB MB GB TB (powers of 1000), KiB MiB GiB TiB (of 1024).
std::optional<std::int64_t> read_bytes(std::string_view text);

std::string write_number(double value);                // shortest that reads back the same
std::string write_duration(std::int64_t nanoseconds);  // in the largest unit that divides it
std::string write_bytes(std::int64_t bytes);           // likewise
std::string with_thousands(std::int64_t value);        // 65,536: for messages

}  // namespace edgelab::batch
