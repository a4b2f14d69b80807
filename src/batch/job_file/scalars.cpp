#include "batch/job_file/scalars.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <span>
#include <utility>

namespace edgelab::batch {
namespace {

using Unit = std::pair<std::string_view, std::int64_t>;
constexpr std::array<Unit, 6> kTimes{{{"h", 3'600'000'000'000},
                                      {"m", 60'000'000'000},
                                      {"s", 1'000'000'000},
                                      {"ms", 1'000'000},
                                      {"us", 1'000},
                                      {"ns", 1}}};
constexpr std::array<Unit, 9> kSizes{{{"TiB", std::int64_t{1} << 40},
                                      {"TB", 1'000'000'000'000},
                                      {"GiB", std::int64_t{1} << 30},
                                      {"GB", 1'000'000'000},
                                      {"MiB", std::int64_t{1} << 20},
                                      {"MB", 1'000'000},
                                      {"KiB", std::int64_t{1} << 10},
                                      {"KB", 1'000},
                                      {"B", 1}}};
constexpr double kMostNanoseconds = 90.0 * 24 * 3600e9;
constexpr double kMostBytes = 0x1p53;  // whole numbers up to here are exact in a double

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// YAML's and JSON's decimal numbers; from_chars alone would take "inf" and "nan", and stop early where it likes.
std::size_t number_length(std::string_view text) {
  std::size_t at = !text.empty() && (text[0] == '-' || text[0] == '+') ? 1 : 0;
  std::size_t digits = 0;
  for (; at < text.size() && is_digit(text[at]); ++at) ++digits;
  if (at < text.size() && text[at] == '.') {
    for (++at; at < text.size() && is_digit(text[at]); ++at) ++digits;
  }
  if (digits == 0) return 0;
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    std::size_t end = at + 1;
    if (end < text.size() && (text[end] == '-' || text[end] == '+')) ++end;
    const std::size_t first = end;
    while (end < text.size() && is_digit(text[end])) ++end;
    if (end > first) at = end;
  }
  return at;
}

std::optional<std::int64_t> read_quantity(std::string_view text, std::span<const Unit> units, double most) {
  const std::size_t length = number_length(text);
  if (length == 0) return {};
  const auto number = read_number(text.substr(0, length));
  if (!number) return {};
  for (const auto& [name, size] : units) {
    if (text.substr(length) != name) continue;
    const double value = *number * static_cast<double>(size);
    if (std::abs(value) > most) return {};
    return std::llround(value);
  }
  return {};
}

std::string write_quantity(std::int64_t value, std::span<const Unit> units) {
  for (const auto& [name, size] : units) {
    if (value % size == 0 && (value != 0 || size == 1)) return fmt::format("{}{}", value / size, name);
  }
  return {};
}

}  // namespace

std::optional<bool> read_boolean(std::string_view text) {
  for (const std::string_view yes : {"true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"}) {
    if (text == yes) return true;
  }
  for (const std::string_view no : {"false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"}) {
    if (text == no) return false;
  }
  return {};
}

std::optional<std::int64_t> read_integer(std::string_view text) {
  if (!text.empty() && text[0] == '+') text.remove_prefix(1);
  const std::string_view digits = !text.empty() && text[0] == '-' ? text.substr(1) : text;
  if (digits.empty() || !is_digit(digits[0]) || (digits[0] == '0' && digits.size() > 1)) return {};
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return {};
  return value;
}

std::optional<double> read_number(std::string_view text) {
  if (text.empty() || number_length(text) != text.size()) return {};
  if (text[0] == '+') text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value)) return {};
  return value == 0.0 ? 0.0 : value;  // no minus zero
}

std::optional<std::int64_t> read_duration(std::string_view text) {
  return read_quantity(text, kTimes, kMostNanoseconds);
}

std::optional<std::int64_t> read_bytes(std::string_view text) {
  if (const auto plain = read_integer(text))
    return std::abs(static_cast<double>(*plain)) <= kMostBytes ? plain : std::nullopt;
  return read_quantity(text, kSizes, kMostBytes);
}

std::string write_number(double value) { return fmt::format("{}", value); }
std::string write_duration(std::int64_t nanoseconds) { return write_quantity(nanoseconds, kTimes); }
std::string write_bytes(std::int64_t bytes) { return write_quantity(bytes, kSizes); }

std::string with_thousands(std::int64_t value) {
  std::string text = std::to_string(value);
  for (std::size_t at = text.size(); at > 3 && is_digit(text[at - 4]);) {
    at -= 3;
    text.insert(at, ",");
  }
  return text;
}

}  // namespace edgelab::batch
