#include <fmt/format.h>

#include <algorithm>

#include "results/report/html.hpp"
#include "results/report/sections.hpp"
#include "results/statistics.hpp"
#include "results/text/units.hpp"

namespace edgelab::results::report {
namespace {

constexpr int kBars = 40;
constexpr double kWidth = 320, kHeight = 120, kBottom = 18, kTop = 14;

// From the shortest call to the 99.5th percentile: one straggler would otherwise squeeze everything into one bar. What lies
// beyond is counted in the last bar and said so below.
struct Histogram {
  double from = 0, to = 0;
  std::vector<int> counts = std::vector<int>(kBars, 0);
  std::size_t beyond = 0;
};

Histogram histogram_of(const std::vector<std::int64_t>& latency_ns) {
  std::vector<std::int64_t> ascending = latency_ns;
  std::sort(ascending.begin(), ascending.end());
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

std::string mark(const Histogram& histogram, std::int64_t value, const char* label) {
  const double share = (static_cast<double>(value) - histogram.from) / (histogram.to - histogram.from);
  const double x = std::clamp(share, 0.0, 1.0) * kWidth;
  const char* anchor = x > kWidth - 24 ? "end" : x < 24 ? "start" : "middle";
  return fmt::format(
      "<line class=\"mark\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1}\" y2=\"{2}\"/><text x=\"{0:.1f}\" y=\"10\" "
      "text-anchor=\"{3}\">{4}</text>",
      x, kTop, kHeight - kBottom, anchor, label);
}

std::string plot(const JobRecord& job) {
  const Histogram histogram = histogram_of(job.latency_ns);
  const LatencySummary summary = summarise_latency(job.latency_ns, job.batch);
  const int tallest = *std::max_element(histogram.counts.begin(), histogram.counts.end());
  std::string svg =
      fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"Histogram of the latency of {}\">", kWidth,
                  kHeight, escaped(job.id));
  const double step = kWidth / kBars;
  for (int i = 0; i < kBars; ++i) {
    const double height = (kHeight - kTop - kBottom) * histogram.counts[static_cast<std::size_t>(i)] / tallest;
    if (height > 0)
      svg += fmt::format("<rect class=\"bar\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\"/>",
                         i * step + 0.5, kHeight - kBottom - height, step - 1, height);
  }
  svg += fmt::format("<line class=\"axis\" x1=\"0\" x2=\"{0}\" y1=\"{1}\" y2=\"{1}\"/>", kWidth, kHeight - kBottom);
  svg += mark(histogram, summary.p50_ns, "p50");
  // Labels nearer than their own width would lie on each other.
  if (static_cast<double>(summary.p99_ns - summary.p50_ns) > 0.12 * (histogram.to - histogram.from))
    svg += mark(histogram, summary.p99_ns, "p99");
  svg += fmt::format("<text x=\"0\" y=\"{0}\">{1}</text><text x=\"{2}\" y=\"{0}\" text-anchor=\"end\">{3}</text></svg>",
                     kHeight - 4, escaped(duration_text(histogram.from)), kWidth, escaped(duration_text(histogram.to)));
  std::string text =
      fmt::format("{} calls of {}, median {}, standard deviation {}", job.latency_ns.size(), job.batch,
                  duration_text(static_cast<double>(summary.p50_ns)), duration_text(summary.standard_deviation_ns));
  if (histogram.beyond > 0)
    text +=
        fmt::format("; {} longer, up to {}", histogram.beyond, duration_text(static_cast<double>(summary.longest_ns)));
  return "<figure><figcaption>" + escaped(job.id) + "</figcaption>" + svg + "<p class=\"faint\">" + escaped(text) +
         "</p></figure>\n";
}

}  // namespace

std::string latency_section(const RunRecord& run) {
  std::string plots;
  for (const JobRecord& job : run.jobs) {
    if (!job.latency_ns.empty()) plots += plot(job);
  }
  if (plots.empty()) return "";
  return "<section><h2>Latency</h2>\n<p class=\"faint\">Normalised tensor in memory to logits; a call is one "
         "batch.</p><div class=\"plots\">\n" +
         plots + "</div></section>\n";
}

}  // namespace edgelab::results::report
