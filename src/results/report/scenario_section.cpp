#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "results/report/html.hpp"
#include "results/report/plot.hpp"
#include "results/report/sections.hpp"
#include "results/shown_scenarios.hpp"
#include "results/text/units.hpp"

namespace edgelab::results::report {
namespace {

std::string nanoseconds(std::int64_t time) { return duration_text(static_cast<double>(time)); }

std::vector<HtmlCell> row_of(const JobRecord& job) {
  const ScenarioRecord& scenario = job.scenario;
  const std::string validity = job.summary.validity.value_or("");
  const auto queries = static_cast<double>(scenario.queries);
  const double samples = queries * static_cast<double>(scenario.samples_per_query);
  return {text_cell(job.id, "id"),
          text_cell(scenario.kind),
          text_cell(validity, validity == "VALID" ? "good" : "bad"),
          text_cell(scenario_result_text(job)),
          number_cell(queries, count_text(queries)),
          number_cell(samples, count_text(samples)),
          number_cell(scenario.percentile_at_most_ns, duration_text),
          number_cell(static_cast<double>(scenario.duration_ns), nanoseconds(scenario.duration_ns))};
}

// Latency against the rate of arrivals, as the search for the highest saw it.
std::string load_figure(const JobRecord& job) {
  if (job.rates.empty()) return "";
  Plot plot{"99th percentile against load, " + job.id,
            {"queries/s", rate_text, false, true, {}},
            {"99th percentile", duration_text, true, false, {}},
            {},
            {}};
  std::vector<RateRow> by_rate = job.rates;
  std::sort(by_rate.begin(), by_rate.end(),
            [](const RateRow& a, const RateRow& b) { return a.queries_per_second < b.queries_per_second; });
  Series kept{"within the bound", {}, {}, {}}, missed{"over it", {}, {}, {}};
  for (const RateRow& row : by_rate) {
    const auto p99 = static_cast<double>(row.latency_p99_ns);
    (row.met ? kept : missed)
        .marks.push_back({row.queries_per_second, p99,
                          fmt::format("{} queries/s: {}", rate_text(row.queries_per_second), duration_text(p99))});
  }
  plot.series = {std::move(kept), std::move(missed)};  // an empty one too: colours mean the same in every plot
  if (job.scenario.latency_bound_ns) {
    const auto bound = static_cast<double>(*job.scenario.latency_bound_ns);
    plot.guides.push_back({bound, "bound: " + duration_text(bound), false});
  }
  std::vector<std::vector<HtmlCell>> rows;
  for (const RateRow& row : job.rates) {
    rows.push_back({number_cell(row.queries_per_second, rate_text(row.queries_per_second)),
                    number_cell(static_cast<double>(row.queries), count_text(static_cast<double>(row.queries))),
                    number_cell(static_cast<double>(row.latency_p99_ns), nanoseconds(row.latency_p99_ns)),
                    text_cell(row.met ? "✓ within the bound" : "✗ over it", row.met ? "good" : "bad")});
  }
  return plot_html(plot, "Each rate with arrivals of its own; one that is plainly too fast is given up early.",
                   html_table("Rates tried, in their order, " + job.id,
                              {"queries/s", "queries", "99th percentile", "result"}, rows));
}

}  // namespace

std::string scenario_section(const RunRecord& run) {
  std::vector<std::vector<HtmlCell>> rows;
  std::vector<std::string> figures;
  std::string reasons;
  for (const JobRecord& job : run.jobs) {
    if (job.scenario.kind.empty()) continue;
    rows.push_back(row_of(job));
    if (job.summary.invalid_reason)
      reasons += "<p class=\"bad\">" + escaped(job.id + " is INVALID: " + *job.summary.invalid_reason) + "</p>\n";
    if (std::string figure = load_figure(job); !figure.empty()) figures.push_back(std::move(figure));
  }
  if (rows.empty()) return "";
  return section("Scenarios", html_table("Scenarios",
                                         {"job", "scenario", "validity", "result", "queries", "samples",
                                          "percentile at most", "duration"},
                                         rows) +
                                  reasons +
                                  "<p class=\"faint\">As in MLPerf Inference's LoadGen. \"At most\" holds at 99 % "
                                  "confidence.</p>\n" +
                                  figures_html(figures));
}

}  // namespace edgelab::results::report
