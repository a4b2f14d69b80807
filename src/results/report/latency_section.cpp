#include <fmt/format.h>

#include <algorithm>

#include "results/report/html.hpp"
#include "results/report/plot.hpp"
#include "results/report/sections.hpp"
#include "results/report/tracks.hpp"
#include "results/statistics.hpp"
#include "results/text/units.hpp"

namespace edgelab::results::report {
namespace {

constexpr int kBars = 40;

// From the shortest call to the 99.5th percentile: one straggler would otherwise squeeze everything into one bar. What lies
// beyond is counted in the last bar and said so below.
struct Histogram {
  double from = 0, to = 0;
  std::vector<int> counts = std::vector<int>(kBars, 0);
  std::size_t beyond = 0;

  double edge(int bar) const { return from + (to - from) * bar / kBars; }
};

std::vector<std::int64_t> ascending_of(const JobRecord& job) {
  std::vector<std::int64_t> ascending = job.latency_ns;
  std::sort(ascending.begin(), ascending.end());
  return ascending;
}

Histogram histogram_of(const std::vector<std::int64_t>& ascending) {
  Histogram histogram;
  histogram.from = static_cast<double>(ascending.front());
  histogram.to = std::max(percentile_of_sorted(ascending, 99.5), histogram.from + 1);
  for (const std::int64_t value : ascending) {
    const double place = (static_cast<double>(value) - histogram.from) / (histogram.to - histogram.from) * kBars;
    histogram.counts[static_cast<std::size_t>(std::clamp(place, 0.0, kBars - 1.0))] += 1;
    if (static_cast<double>(value) > histogram.to) ++histogram.beyond;
  }
  return histogram;
}

std::string histogram_html(const JobRecord& job) {
  const std::vector<std::int64_t> ascending = ascending_of(job);
  const Histogram histogram = histogram_of(ascending);
  Plot plot{"Latency of " + job.id,
            {"time of a call", duration_text, false, false, {}},
            {"calls", whole_tick, false, true, {}},
            {{"calls", {}, {}, {}}},
            {}};
  std::vector<std::vector<HtmlCell>> rows;
  for (int bar = 0; bar < kBars; ++bar) {
    const double from = histogram.edge(bar), to = histogram.edge(bar + 1);
    const int count = histogram.counts[static_cast<std::size_t>(bar)];
    const std::string range = duration_text(from) + " to " + duration_text(to);
    plot.series[0].bars.push_back({from, to, static_cast<double>(count), range + ": " + std::to_string(count)});
    rows.push_back({number_cell(from, duration_text(from)), number_cell(to, duration_text(to)),
                    number_cell(count, std::to_string(count))});
  }
  for (const auto& [percent, label] : {std::pair{50.0, "p50"}, {90.0, "p90"}, {99.0, "p99"}})
    plot.guides.push_back({percentile_of_sorted(ascending, percent), label, true});
  const LatencySummary summary = summarise_latency(ascending, job.batch);
  std::string note =
      fmt::format("{} calls of {}, median {}, standard deviation {}", ascending.size(), job.batch,
                  duration_text(static_cast<double>(summary.p50_ns)), duration_text(summary.standard_deviation_ns));
  if (histogram.beyond > 0)
    note += fmt::format("; {} longer, up to {}, in the last bar", histogram.beyond,
                        duration_text(static_cast<double>(summary.longest_ns)));
  return plot_html(plot, note, html_table("Latency of " + job.id, {"from", "to", "calls"}, rows));
}

std::string overview(const std::vector<const JobRecord*>& jobs) {
  TrackChart chart{"Latency of all jobs", {}, {}, duration_text, {}};
  std::vector<double> ends;
  std::vector<std::vector<HtmlCell>> rows;
  for (const JobRecord* job : jobs) {
    const std::vector<std::int64_t> ascending = ascending_of(*job);
    const auto at = [&](double percent) { return percentile_of_sorted(ascending, percent); };
    const double shortest = at(0), p25 = at(25), p50 = at(50), p75 = at(75), p90 = at(90), p99 = at(99),
                 longest = at(100);
    ends.insert(ends.end(), {shortest, p99});
    const std::string title = fmt::format("{}: median {}, p99 {}", job->id, duration_text(p50), duration_text(p99));
    chart.tracks.push_back({job->id,
                            {{shortest, p99, 0, title, "", Piece::Look::thin},
                             {p25, p75, 0, title, "", Piece::Look::full},
                             {p50, p50, 0, title, "", Piece::Look::tick}}});
    std::vector<HtmlCell> row{text_cell(job->id, "id"),
                              number_cell(static_cast<double>(job->batch), std::to_string(job->batch))};
    for (const double value : {shortest, p25, p50, p75, p90, p99, longest})
      row.push_back(number_cell(value, duration_text(value)));
    rows.push_back(std::move(row));
  }
  chart.scale = Scale::logarithmic(ends);
  return tracks_html(chart,
                     "Thin: from the shortest call to the 99th percentile. Thick: the middle half. Tick: the median. "
                     "The scale is logarithmic.",
                     html_table("Latency of all jobs",
                                {"job", "batch", "shortest", "p25", "p50", "p75", "p90", "p99", "longest"}, rows));
}

}  // namespace

std::string latency_section(const RunRecord& run) {
  std::vector<const JobRecord*> jobs;
  std::vector<std::string> figures;
  for (const JobRecord& job : run.jobs) {
    if (job.latency_ns.empty()) continue;
    jobs.push_back(&job);
    figures.push_back(histogram_html(job));
  }
  if (jobs.empty()) return "";
  std::string html = "<p class=\"faint\">Normalised tensor in memory to logits; a call is one batch.</p>";
  if (jobs.size() > 1) html += overview(jobs) + "<p></p>";
  return section("Latency", html + figures_html(figures));
}

}  // namespace edgelab::results::report
