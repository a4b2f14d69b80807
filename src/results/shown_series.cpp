#include "results/shown_series.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/host_state.hpp"
#include "results/statistics.hpp"
#include "results/text/sparkline.hpp"
#include "results/text/units.hpp"

namespace edgelab::results {
namespace {

constexpr std::size_t kSpreadColumns = 10, kCurveColumns = 16;

template <class Row>
std::vector<double> column_of(const std::vector<Row>& rows, double Row::*member) {
  std::vector<double> values;
  for (const Row& row : rows) values.push_back(row.*member);
  return values;
}

std::string last_finite(const std::vector<double>& values, std::string (*text)(double)) {
  const auto last = std::find_if(values.rbegin(), values.rend(), [](double value) { return std::isfinite(value); });
  return last == values.rend() ? "" : text(*last);
}

// "61.5 to 70.2"; empty if nothing was known.
std::string range_text(const std::vector<double>& values, double scale) {
  double least = INFINITY, greatest = -INFINITY;
  for (const double value : values) {
    if (!std::isfinite(value)) continue;
    least = std::min(least, value);
    greatest = std::max(greatest, value);
  }
  if (least > greatest) return "";
  const std::string low = figures_text(least * scale, 3), high = figures_text(greatest * scale, 3);
  return low == high ? low : low + " to " + high;
}

std::string curve(const std::vector<double>& values) {
  const bool any = std::any_of(values.begin(), values.end(), [](double value) { return std::isfinite(value); });
  return any && values.size() > 1 ? sparkline(values, kCurveColumns) : "";
}

}  // namespace

std::string latency_spread(const JobRecord& job) {
  if (job.latency_ns.size() < 2) return "";
  std::vector<std::int64_t> ascending = job.latency_ns;
  std::sort(ascending.begin(), ascending.end());
  const auto from = static_cast<double>(ascending.front());
  const double to = percentile_of_sorted(ascending, 99);
  if (to <= from) return "";
  std::vector<double> counts(kSpreadColumns, 0.0);
  for (const std::int64_t value : ascending) {
    const double place = (static_cast<double>(value) - from) / (to - from) * kSpreadColumns;
    if (place <= kSpreadColumns) counts[std::min(static_cast<std::size_t>(place), kSpreadColumns - 1)] += 1;
  }
  return sparkline(counts, kSpreadColumns);
}

std::string training_table(const RunRecord& run, const Look& look) {
  TextTable table({{"training", false}, {"epochs"}, {"loss", false}, {""}, {"top-1", false}, {""}, {"per s"}});
  bool any = false;
  for (const JobRecord& job : run.jobs) {
    if (job.training.empty()) continue;
    const auto loss = column_of(job.training, &TrainingRow::loss), top1 = column_of(job.training, &TrainingRow::top1);
    table.add({{safe_for_terminal(job.id)},
               {std::to_string(job.training.size())},
               {curve(loss)},
               {last_finite(loss, [](double value) { return figures_text(value, 3); })},
               {curve(top1)},
               {last_finite(top1, share_text)},
               {rate_text(job.training.back().samples_per_second)}});
    any = true;
  }
  return any ? "\n" + table.text(look) : "";
}

std::string trials_table(const RunRecord& run, const Look& look) {
  TextTable table({{"search of", false}, {"tried"}, {"failed"}, {"top-1", false}, {"own"}, {"taken"}, {"trial"}});
  std::string settings;
  bool any = false;
  for (const JobRecord& job : run.jobs) {
    if (job.trials.empty()) continue;
    any = true;
    const auto top1 = column_of(job.trials, &TrialRow::top1);
    const auto failed = std::ranges::count_if(top1, [](double value) { return !std::isfinite(value); });
    const auto taken = std::ranges::find_if(job.trials, &TrialRow::taken);
    const bool known = taken != job.trials.end();
    table.add({{safe_for_terminal(job.id)},
               {std::to_string(job.trials.size())},
               {failed > 0 ? std::to_string(failed) : "", Ink::warning},
               {curve(top1)},
               {std::isfinite(top1.front()) ? share_text(top1.front()) : ""},
               {known && std::isfinite(taken->top1) ? share_text(taken->top1) : ""},
               {known ? std::to_string(taken->number) : ""}});
    if (known)
      settings += painted(wrapped(safe_for_terminal(fmt::format("{} took trial {}: {}", job.id, taken->number, taken->settings)),
                                  static_cast<std::size_t>(look.width), 4),
                          Ink::faint, look) +
                  "\n";
  }
  return any ? "\n" + table.text(look) + settings : "";
}

std::string telemetry_table(const RunRecord& run, const Look& look) {
  TextTable table({{"telemetry", false},
                   {"°C", false},
                   {"", false, 1},
                   {"GHz", false},
                   {"", false, 2},
                   {"W", false},
                   {"", false, 3},
                   {"throttled"}});
  bool any = false;
  for (const JobRecord& job : run.jobs) {
    if (job.telemetry.empty()) continue;
    const auto celsius = column_of(job.telemetry, &TelemetryRow::temperature_celsius);
    const auto hertz = column_of(job.telemetry, &TelemetryRow::frequency_hz);
    const auto watt = column_of(job.telemetry, &TelemetryRow::power_watt);
    const auto throttled = std::count_if(job.telemetry.begin(), job.telemetry.end(),
                                         [](const TelemetryRow& row) { return (row.throttle_bits & kThrottleNow) != 0; });
    const std::string celsius_range = range_text(celsius, 1), hertz_range = range_text(hertz, 1e-9),
                      watt_range = range_text(watt, 1);
    if (throttled == 0 && celsius_range.empty() && hertz_range.empty() && watt_range.empty()) continue;
    table.add({{safe_for_terminal(job.id)},
               {celsius_range},
               {curve(celsius)},
               {hertz_range},
               {curve(hertz)},
               {watt_range},
               {curve(watt)},
               {throttled > 0 ? fmt::format("{:.0f} %", 100.0 * static_cast<double>(throttled) /
                                                            static_cast<double>(job.telemetry.size()))
                              : "",
                Ink::bad}});
    any = true;
  }
  return any ? "\n" + table.text(look) : "";
}

}  // namespace edgelab::results
