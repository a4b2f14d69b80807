#include <fmt/format.h>

#include <algorithm>

#include "results/report/html.hpp"
#include "results/report/plot.hpp"
#include "results/report/sections.hpp"
#include "results/report/tracks.hpp"
#include "results/shown_scenarios.hpp"
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

// What the job's latencies are of.
struct Timed {
  const char* one;
  const char* several;
  const char* axis;
  std::int64_t samples;  // of one
};

Timed timed_of(const JobRecord& job) {
  if (runs_from_arrival(job)) return {"query", "queries", "a query, arrival to answer", job.scenario.samples_per_query};
  return {"call", "calls", "a call, tensor to logits", job.batch};
}

std::string histogram_html(const JobRecord& job) {
  const Timed timed = timed_of(job);
  const std::vector<std::int64_t> ascending = ascending_of(job);
  const Histogram histogram = histogram_of(ascending);
  Plot plot{"Latency of " + job.id,
            {timed.axis, duration_text, false, false, {}},
            {timed.several, whole_tick, false, true, {}},
            {{timed.several, {}, {}, {}}},
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
  const LatencySummary summary = summarise_latency(ascending, timed.samples);
  std::string note =
      fmt::format("{} {} of {}, median {}, standard deviation {}", ascending.size(), timed.several, timed.samples,
                  duration_text(static_cast<double>(summary.p50_ns)), duration_text(summary.standard_deviation_ns));
  if (histogram.beyond > 0)
    note += fmt::format("; {} longer, up to {}, in the last bar", histogram.beyond,
                        duration_text(static_cast<double>(summary.longest_ns)));
  return plot_html(plot, note, html_table("Latency of " + job.id, {"from", "to", timed.several}, rows));
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
    const Timed timed = timed_of(*job);
    std::vector<HtmlCell> row{text_cell(job->id, "id"), text_cell(timed.one),
                              number_cell(static_cast<double>(timed.samples), std::to_string(timed.samples))};
    for (const double value : {shortest, p25, p50, p75, p90, p99, longest})
      row.push_back(number_cell(value, duration_text(value)));
    rows.push_back(std::move(row));
  }
  chart.scale = Scale::logarithmic(ends);
  return tracks_html(chart,
                     "Thin: from the shortest to the 99th percentile. Thick: the middle half. Tick: the median. "
                     "The scale is logarithmic.",
                     html_table("Latency of all jobs",
                                {"job", "of a", "samples", "shortest", "p25", "p50", "p75", "p90", "p99", "longest"}, rows));
}

// Says of each kind of latency that there is what it is.
std::string captions(const std::vector<const JobRecord*>& jobs) {
  const auto of_queries = std::ranges::count_if(jobs, [](const JobRecord* job) { return runs_from_arrival(*job); });
  std::string html;
  if (of_queries < std::ssize(jobs)) html += "<p class=\"faint\">Of calls: normalised tensor in memory to logits; a call is one batch.</p>\n";
  if (of_queries > 0)
    html += "<p class=\"faint\">Of queries, where a scenario says when they arrive: arrival to answer, waiting for the model and copying the "
            "image in included.</p>\n";
  return html;
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
  std::string html = captions(jobs);
  if (jobs.size() > 1) html += overview(jobs) + "<p></p>";
  return section("Latency", html + figures_html(figures));
}

}  // namespace edgelab::results::report
