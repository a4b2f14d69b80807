#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "results/report/html.hpp"
#include "results/report/plot.hpp"
#include "results/report/sections.hpp"
#include "results/shown_scenarios.hpp"
#include "results/text/units.hpp"

namespace edgelab::results::report {
namespace {

struct Point {
  std::string job;
  double latency_ns = 0, top1 = 0, low = 0, high = 0;
  std::int64_t samples = 0;
  bool on_front = false;
};

// 95 % interval of a share (Wilson 1927), which keeps within 0 and 1 where the accuracy is near them.
void add_interval(Point& point) {
  constexpr double z = 1.96;
  const auto n = static_cast<double>(point.samples);
  const double middle = (point.top1 + z * z / (2 * n)) / (1 + z * z / n);
  const double half = z * std::sqrt(point.top1 * (1 - point.top1) / n + z * z / (4 * n * n)) / (1 + z * z / n);
  point.low = middle - half;
  point.high = middle + half;
}

// A point is on the front if no other is faster and as right.
void mark_front(std::vector<Point>& points) {
  std::sort(points.begin(), points.end(), [](const Point& a, const Point& b) {
    return a.latency_ns != b.latency_ns ? a.latency_ns < b.latency_ns : a.top1 > b.top1;
  });
  double best = -1;
  for (Point& point : points) {
    point.on_front = point.top1 > best;
    best = std::max(best, point.top1);
  }
}

// A call of 50 images is not slower than one of one in any sense that matters here, so each batch size has its own front; and so have
// queries of each scenario, whose latency holds their waiting too.
std::string series_of(const JobRecord& job) {
  if (runs_from_arrival(job)) return fmt::format("{}, from arrival", job.scenario.kind);
  return fmt::format("batch {}", job.batch);
}

std::map<std::string, std::vector<Point>> points_of(const std::vector<Side>& sides) {
  std::map<std::string, std::vector<Point>> series;
  for (const Side& side : sides) {
    for (const JobRecord& job : side.runs.front().jobs) {
      const Summary& summary = job.summary;
      if (job.status != Status::done || !summary.top1 || !summary.latency_p50_ns || !summary.samples ||
          *summary.samples <= 0 || job.labels.empty())
        continue;
      Point point{job.id, static_cast<double>(*summary.latency_p50_ns), *summary.top1, 0, 0, *summary.samples, false};
      add_interval(point);
      series[(sides.size() > 1 ? side.name + ", " : "") + series_of(job)].push_back(point);
    }
  }
  for (auto& [name, points] : series) mark_front(points);
  return series;
}

}  // namespace

std::string pareto_section(const std::vector<Side>& sides) {
  Plot plot{"Accuracy against latency",
            {"median latency", duration_text, true, false, {}},
            {"top-1", share_tick, false, false, {}},
            {},
            {}};
  std::vector<std::vector<HtmlCell>> rows;
  std::string front;  // "1 ptq, 2 original"
  int on_front = 0;
  for (const auto& [name, points] : points_of(sides)) {
    Series series{name, {}, {}, {}};
    for (const Point& point : points) {
      const std::string number = point.on_front ? std::to_string(++on_front) : "";
      const Mark mark{point.latency_ns, point.top1,
                      fmt::format("{}: {}, {}", point.job, share_text(point.top1), duration_text(point.latency_ns)),
                      point.low, point.high, number};
      if (point.on_front) front += (front.empty() ? "" : ", ") + number + " " + point.job;
      series.marks.push_back(mark);
      if (point.on_front) series.line.push_back(mark);
      rows.push_back({text_cell(point.job, "id"), text_cell(name),
                      number_cell(point.latency_ns, duration_text(point.latency_ns)),
                      number_cell(point.top1, share_text(point.top1)),
                      text_cell(share_text(point.low) + " to " + share_text(point.high)),
                      number_cell(static_cast<double>(point.samples), std::to_string(point.samples)),
                      text_cell(number)});
    }
    plot.series.push_back(std::move(series));
  }
  if (rows.empty()) return "";
  return section("Accuracy against latency",
                 "<div class=\"plots\">" +
                     plot_html(plot,
                               "On the Pareto front: " + front + ". The line joins it: jobs that no other of the same series beats in "
                               "both. Whiskers are 95 % intervals of the accuracy, by the number of images.",
                               html_table("Accuracy against latency",
                                          {"job", "series", "p50", "top-1", "95 %", "images", "front"}, rows)) +
                     "</div>");
}

}  // namespace edgelab::results::report
