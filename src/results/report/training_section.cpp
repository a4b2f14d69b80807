#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "results/report/html.hpp"
#include "results/report/sections.hpp"

namespace edgelab::results::report {
namespace {

constexpr double kWidth = 320, kHeight = 150, kLeft = 6, kRight = 6, kBottom = 18, kTop = 18;

double x_of(const JobRecord& job, std::size_t epoch) {
  const auto last = static_cast<double>(std::max<std::size_t>(1, job.training.size() - 1));
  return kLeft + (kWidth - kLeft - kRight) * static_cast<double>(epoch) / last;
}

// Values from 0 to `most`, 0 at the bottom. Values that are not finite are left out.
std::string line_of(const JobRecord& job, double TrainingRow::*value, double most, const char* style) {
  std::string points;
  for (std::size_t i = 0; i < job.training.size(); ++i) {
    const double share = job.training[i].*value / most;
    if (std::isfinite(share)) points += fmt::format("{:.1f},{:.1f} ", x_of(job, i), kHeight - kBottom - share * (kHeight - kTop - kBottom));
  }
  return fmt::format("<polyline class=\"{}\" points=\"{}\"/>", style, points);
}

std::string plot(const JobRecord& job) {
  double highest = 0;
  for (const TrainingRow& row : job.training) {
    if (std::isfinite(row.loss)) highest = std::max(highest, row.loss);
  }
  std::string svg = fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"Loss and accuracy of {} over its epochs\">", kWidth, kHeight, escaped(job.id));
  svg += fmt::format("<line class=\"axis\" x1=\"0\" x2=\"{0}\" y1=\"{1}\" y2=\"{1}\"/>", kWidth, kHeight - kBottom);
  svg += line_of(job, &TrainingRow::loss, highest > 0 ? highest : 1.0, "loss") + line_of(job, &TrainingRow::top1, 1.0, "accuracy");
  svg += fmt::format("<text x=\"0\" y=\"12\">loss, up to {:.3g} (dashed)</text><text x=\"{}\" y=\"12\" text-anchor=\"end\">accuracy, up to 100 %</text>", highest, kWidth);
  svg += fmt::format("<text x=\"0\" y=\"{0}\">epoch {1}</text><text x=\"{2}\" y=\"{0}\" text-anchor=\"end\">{3}</text></svg>", kHeight - 4,
                     job.training.front().epoch, kWidth, job.training.back().epoch);
  return "<figure><figcaption>" + escaped(job.id) + "</figcaption>" + svg + "</figure>\n";
}

std::string table(const JobRecord& job) {
  std::vector<std::vector<HtmlCell>> rows;
  for (const TrainingRow& row : job.training) {
    rows.push_back({{fmt::format("{}", row.epoch), true, ""},
                    {fmt::format("{:.4f}", row.loss), true, ""},
                    {std::isfinite(row.top1) ? fmt::format("{:.2f} %", 100.0 * row.top1) : "", true, ""},
                    {fmt::format("{:.3g}", row.learning_rate), true, ""},
                    {fmt::format("{:.0f}", row.samples_per_second), true, ""}});
  }
  return "<details><summary>" + escaped(job.id) + ", epoch by epoch</summary>" +
         html_table({"Epoch", "Training loss", "Held-out top-1", "Learning rate", "Images/s"}, rows) + "</details>\n";
}

}  // namespace

std::string training_section(const RunRecord& run) {
  std::string plots, tables;
  for (const JobRecord& job : run.jobs) {
    if (job.training.empty()) continue;
    plots += plot(job);
    tables += table(job);
  }
  if (plots.empty()) return "";
  return "<section><h2>Training</h2>\n<p class=\"faint\">Mean loss of each epoch's training images, and the share of held-out images "
         "recognised after it.</p><div class=\"plots\">\n" +
         plots + "</div>\n" + tables + "</section>\n";
}

}  // namespace edgelab::results::report
