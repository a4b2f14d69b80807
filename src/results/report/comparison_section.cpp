#include "results/compare/metrics.hpp"
#include "results/compare/shown.hpp"
#include "results/report/html.hpp"
#include "results/report/sections.hpp"
#include "results/report/tracks.hpp"
#include "results/text/units.hpp"

namespace edgelab::results::report {
namespace {

const char* class_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::faster:
    case Verdict::better: return "good";
    case Verdict::slower:
    case Verdict::worse: return "bad";
    case Verdict::cannot_tell: return "faint";
    case Verdict::not_compared: break;
  }
  return "";
}

HtmlCell value_cell(const Metric& metric, const std::optional<double>& value) {
  return value ? number_cell(*value, metric.text(*value)) : HtmlCell{"", true, "", {}};
}

std::string against_first(const Side& first, const Side& other) {
  const Comparison comparison = compare_sides(first, other);
  std::vector<std::vector<HtmlCell>> rows;
  for (const JobComparison& job : comparison.jobs) {
    if (!job.in_a || !job.in_b)
      rows.push_back({text_cell(job.id, "id"), text_cell(""), text_cell(job.in_a ? "there" : "missing"),
                      text_cell(job.in_b ? "there" : "missing"), text_cell(""), text_cell(""),
                      text_cell("not compared", "warn")});
    for (const MetricComparison& metric : job.metrics) {
      const Metric& about = metric_named(metric.name);
      const double change =
          metric.is_share ? metric.b.value_or(0) - metric.a.value_or(0) : metric.ratio().value_or(1) - 1;
      rows.push_back({text_cell(job.id, "id"), text_cell(about.label), value_cell(about, metric.a),
                      value_cell(about, metric.b), number_cell(change, change_text(metric)),
                      text_cell(interval_text(metric)),
                      text_cell(verdict_text(job, metric), class_of(metric.verdict))});
    }
  }
  if (rows.empty()) return "<p>No job is in both.</p>";
  std::string html = "<h3>" + escaped(other.name) + " against " + escaped(first.name) + "</h3>\n" +
                     html_table(other.name + " against " + first.name,
                                {"job", "number", first.name, other.name, "change", "95 %", "verdict"}, rows);
  for (const std::string& caution : comparison.cautions)
    html += "<p class=\"warn\">" + escaped("Note: " + caution + ".") + "</p>\n";
  return html;
}

// Each job's median latency in every file, on one scale.
std::string latencies(const std::vector<Side>& sides) {
  TrackChart chart{"Median latency in every file", {}, {}, duration_text, {}};
  std::vector<double> ends;
  std::vector<std::vector<HtmlCell>> rows;
  for (const Side& side : sides) chart.series.push_back(side.name);
  for (const JobRecord& job : sides.front().runs.front().jobs) {
    std::vector<HtmlCell> row{text_cell(job.id, "id")};
    std::vector<Track> tracks;
    for (std::size_t i = 0; i < sides.size(); ++i) {
      const JobRecord* found = nullptr;
      for (const JobRecord& other : sides[i].runs.front().jobs) found = other.id == job.id ? &other : found;
      row.push_back(number_cell(found ? found->summary.latency_p50_ns : std::nullopt, duration_text));
      if (found == nullptr || !found->summary.latency_p50_ns) continue;
      const auto latency = static_cast<double>(*found->summary.latency_p50_ns);
      ends.push_back(latency);
      tracks.push_back({tracks.empty() ? job.id : "",
                        {{0, latency, i, sides[i].name + ", " + job.id + ": " + duration_text(latency),
                          duration_text(latency), Piece::Look::full}}});
    }
    if (tracks.empty()) continue;
    chart.tracks.insert(chart.tracks.end(), tracks.begin(), tracks.end());
    rows.push_back(std::move(row));
  }
  if (rows.empty()) return "";
  chart.scale = Scale::linear(ends, true);
  std::vector<std::string> titles{"job"};
  titles.insert(titles.end(), chart.series.begin(), chart.series.end());
  return tracks_html(chart, "", html_table(chart.title, titles, rows));
}

}  // namespace

std::string comparison_section(const std::vector<Side>& sides) {
  std::string html = latencies(sides);
  for (std::size_t i = 1; i < sides.size(); ++i) html += against_first(sides.front(), sides[i]);
  return section("Comparison", html);
}

}  // namespace edgelab::results::report
