#include "results/text/units.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "core/clock.hpp"

namespace edgelab::results {
namespace {

struct Scale {
  double factor;
  const char* unit;
};

template <std::size_t N>
std::string scaled(double number, const std::array<Scale, N>& scales) {
  const Scale* chosen = &scales[0];
  for (const Scale& scale : scales) {
    // 999.7 µs rounds to 1000: the larger unit then reads better.
    if (std::abs(number) >= scale.factor * 0.9995) chosen = &scale;
  }
  const std::string figures = figures_text(number / chosen->factor, 3);
  return *chosen->unit == '\0' ? figures : figures + " " + chosen->unit;
}

}  // namespace

std::string figures_text(double number, int figures) {
  if (!std::isfinite(number)) return std::isnan(number) ? "not a number" : number > 0 ? "infinite" : "-infinite";
  if (number == 0) return "0";
  // A tiny part more, so that 0.9997 counts as the 1.00 that it is shown as.
  const int magnitude = static_cast<int>(std::floor(std::log10(std::abs(number) * (1 + 0.5 * std::pow(10, -figures)))));
  if (magnitude < -4 || magnitude > 15) return fmt::format("{:.{}g}", number, figures);
  return fmt::format("{:.{}f}", number, std::max(0, figures - 1 - magnitude));
}

std::string duration_text(double nanoseconds) {
  if (nanoseconds >= 59.95e9) {
    const auto seconds = static_cast<std::int64_t>(std::llround(nanoseconds * 1e-9));
    if (seconds >= 3600) return fmt::format("{} h {} min", seconds / 3600, seconds % 3600 / 60);
    return fmt::format("{} min {} s", seconds / 60, seconds % 60);
  }
  static constexpr std::array<Scale, 4> kScales = {{{1, "ns"}, {1e3, "µs"}, {1e6, "ms"}, {1e9, "s"}}};
  return scaled(nanoseconds, kScales);
}

std::string bytes_text(double bytes) {
  static constexpr std::array<Scale, 5> kScales = {{{1, "B"}, {1e3, "KB"}, {1e6, "MB"}, {1e9, "GB"}, {1e12, "TB"}}};
  return std::abs(bytes) < 1000 ? fmt::format("{:.0f} B", bytes) : scaled(bytes, kScales);
}

std::string joules_text(double joules) {
  static constexpr std::array<Scale, 4> kScales = {{{1e-6, "µJ"}, {1e-3, "mJ"}, {1, "J"}, {1e3, "kJ"}}};
  return joules == 0 ? "0 J" : scaled(joules, kScales);
}

std::string count_text(double count) {
  static constexpr std::array<Scale, 4> kScales = {{{1, ""}, {1e6, "M"}, {1e9, "G"}, {1e12, "T"}}};
  return std::abs(count) < 1e6 ? fmt::format("{:.0f}", count) : scaled(count, kScales);
}

std::string share_text(double share) { return fmt::format("{:.2f} %", 100 * share); }
std::string rate_text(double per_second) {
  return per_second >= 1000 ? fmt::format("{:.0f}", per_second) : figures_text(per_second, 4);
}

std::string time_text(std::int64_t wall_ns) {
  std::string text = utc_text(wall_ns);
  if (text.size() == 20) text = text.substr(0, 10) + " " + text.substr(11, 8) + " UTC";
  return text;
}

}  // namespace edgelab::results
