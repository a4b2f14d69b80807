#include <fmt/format.h>

#include <cmath>
#include <map>
#include <utility>

#include "core/host_state.hpp"
#include "results/report/html.hpp"
#include "results/report/plot.hpp"
#include "results/report/sections.hpp"
#include "results/text/units.hpp"

namespace edgelab::results::report {
namespace {

constexpr std::size_t kMostRows = 400;

std::string gigahertz(double hertz) { return figures_text(hertz * 1e-9, 3) + " GHz"; }
std::string celsius(double degrees) { return figures_text(degrees, 3) + " °C"; }
std::string watt(double watts) { return figures_text(watts, 3) + " W"; }

struct Quantity {
  const char* name;
  double (*value)(const TelemetryRow&);  // NaN where unknown
  std::string (*text)(double);
  bool from_zero;
  bool follows_throttling;  // what slows a host down shows in it
};

constexpr Quantity kQuantities[] = {
    {"Temperature", [](const TelemetryRow& row) { return row.temperature_celsius; }, celsius, false, true},
    {"CPU frequency", [](const TelemetryRow& row) { return row.frequency_hz; }, gigahertz, false, true},
    {"Power", [](const TelemetryRow& row) { return row.power_watt; }, watt, true, true},
    {"Resident memory",
     [](const TelemetryRow& row) { return row.resident_bytes > 0 ? static_cast<double>(row.resident_bytes) : NAN; },
     bytes_text, true, false},
};

std::string table_html(const JobRecord& job) {
  std::vector<std::vector<HtmlCell>> rows;
  const std::size_t step = (job.telemetry.size() + kMostRows - 1) / kMostRows;
  for (std::size_t i = 0; i < job.telemetry.size(); i += step) {
    const TelemetryRow& row = job.telemetry[i];
    const auto time = static_cast<double>(row.time_ns);
    std::vector<HtmlCell> cells{number_cell(time, duration_text(time)),
                                number_cell(row.rank, std::to_string(row.rank))};
    for (const Quantity& quantity : kQuantities) {
      const double value = quantity.value(row);
      cells.push_back(number_cell(value, std::isfinite(value) ? quantity.text(value) : ""));
    }
    cells.push_back(text_cell(throttle_names(row.throttle_bits), "bad"));
    rows.push_back(std::move(cells));
  }
  std::string html = html_table("Telemetry of " + job.id,
                                {"time", "rank", "temperature", "frequency", "power", "memory", "throttling"}, rows);
  if (step > 1) html += fmt::format("<p class=\"faint\">Every {}th of {} samples.</p>", step, job.telemetry.size());
  return html;
}

// The stretches in which a rank's host was slowed down. A row tells of the time since the row before.
std::vector<Band> throttled_bands(const JobRecord& job) {
  struct Stretch {
    int rank;
    double from, to;
    std::int64_t bits;
  };
  std::vector<Stretch> stretches;
  std::map<int, std::size_t> open;  // by rank
  std::map<int, double> before;
  for (const TelemetryRow& row : job.telemetry) {
    const auto time = static_cast<double>(row.time_ns);
    const double from = std::exchange(before.try_emplace(row.rank, time).first->second, time);
    const std::int64_t bits = row.throttle_bits & kThrottleNow;
    if (bits == 0) {
      open.erase(row.rank);
      continue;
    }
    const auto [entry, fresh] = open.try_emplace(row.rank, stretches.size());
    if (fresh) stretches.push_back({row.rank, from, time, 0});
    stretches[entry->second].to = time;
    stretches[entry->second].bits |= bits;
  }
  std::vector<Band> bands;
  for (const Stretch& it : stretches)
    bands.push_back({it.from, it.to, fmt::format("rank {}: {}, {} to {}", it.rank, throttle_names(it.bits), duration_text(it.from), duration_text(it.to))});
  return bands;
}

std::string throttling_note(const JobRecord& job, bool marked) {
  std::string note = job.summary.throttling ? "Slowed down: " + *job.summary.throttling + "." : "";
  if (marked) note += std::string(note.empty() ? "" : " ") + "Shaded: while it was slowed down.";
  return note;
}

void add_figures(const JobRecord& job, std::vector<std::string>& figures) {
  const std::string table = table_html(job);
  const std::vector<Band> throttled = throttled_bands(job);
  for (const Quantity& quantity : kQuantities) {
    std::map<int, Series> by_rank;
    for (const TelemetryRow& row : job.telemetry) {
      const double value = quantity.value(row);
      if (!std::isfinite(value)) continue;
      Series& series = by_rank[row.rank];
      series.name = fmt::format("rank {}", row.rank);
      series.line.push_back({static_cast<double>(row.time_ns), value, ""});
    }
    if (by_rank.empty()) continue;
    Plot plot{fmt::format("{}, {}", quantity.name, job.id),
              {"since the job began", duration_text, false, true, {}},
              {quantity.name, quantity.text, false, quantity.from_zero, {}},
              {},
              {}};
    for (auto& [rank, series] : by_rank) {
      if (series.line.size() == 1) series.marks = series.line;
      plot.series.push_back(std::move(series));
    }
    if (quantity.follows_throttling) plot.bands = throttled;
    figures.push_back(plot_html(plot, throttling_note(job, !plot.bands.empty()), table));
  }
}

HtmlCell measured_cell(double value, std::string (*text)(double)) {
  return number_cell(value, std::isfinite(value) ? text(value) : "");
}

// A row for each job and host that told its energy.
std::string energy_table(const RunRecord& run) {
  std::vector<std::vector<HtmlCell>> rows;
  for (const JobRecord& job : run.jobs) {
    for (const EnergyRow& row : job.energy) {
      if (!std::isfinite(row.energy_joules)) continue;
      const double seconds = 1e-9 * static_cast<double>(row.window_ns);
      const auto readings = static_cast<double>(row.readings);
      rows.push_back({text_cell(job.id, "id"), text_cell(row.host), text_cell(row.source),
                      measured_cell(seconds * 1e9, duration_text), measured_cell(row.energy_joules, joules_text),
                      measured_cell(row.energy_joules / seconds, watt), measured_cell(row.idle_watt, watt),
                      measured_cell(row.energy_joules - row.idle_watt * seconds, joules_text),
                      number_cell(readings, count_text(readings)),
                      measured_cell(static_cast<double>(row.reading_ns) / 1e9 / seconds, share_text)});
    }
  }
  if (rows.empty()) return "";
  return html_table("Energy of the timed parts",
                    {"job", "host", "meter", "timed", "energy", "mean power", "idle", "above idle", "readings",
                     "reading, of a core"},
                    rows) +
         "<p class=\"faint\">Of the whole host, whatever else ran there. Idle is what it drew before the run.</p>\n";
}

}  // namespace

std::string telemetry_section(const RunRecord& run) {
  std::vector<std::string> figures;
  for (const JobRecord& job : run.jobs) {
    if (!job.telemetry.empty()) add_figures(job, figures);
  }
  return section("Telemetry", energy_table(run) + figures_html(figures));
}

}  // namespace edgelab::results::report
