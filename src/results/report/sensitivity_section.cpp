#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "results/report/html.hpp"
#include "results/report/sections.hpp"
#include "results/text/units.hpp"

namespace edgelab::results::report {
namespace {

constexpr double kWidth = 320, kHeight = 150, kLeft = 6, kRight = 6, kBottom = 18, kTop = 18;

// Accuracy by layer, in the order of the model, when this share of each alone is left out.
std::string plot(const JobRecord& job, double sparsity) {
  std::vector<const SensitivityRow*> rows;
  double whole = 0.0;
  for (const SensitivityRow& row : job.sensitivity) {
    if (row.sparsity == sparsity && row.layer != "none") rows.push_back(&row);
    if (row.layer == "none") whole = row.top1;
  }
  const auto y_of = [](double share) { return kHeight - kBottom - share * (kHeight - kTop - kBottom); };
  const double step = (kWidth - kLeft - kRight) / static_cast<double>(std::max<std::size_t>(1, rows.size()));
  std::string svg = fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"Accuracy of {} with {:.0f} % of one layer left out, layer by layer\">", kWidth, kHeight,
                                escaped(job.id), 100 * sparsity);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const double top = y_of(std::clamp(rows[i]->top1, 0.0, 1.0));
    svg += fmt::format("<rect class=\"bar\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\"><title>{}: {}</title></rect>", kLeft + step * static_cast<double>(i), top,
                       0.8 * step, kHeight - kBottom - top, escaped(rows[i]->layer), escaped(share_text(rows[i]->top1)));
  }
  svg += fmt::format("<line class=\"mark\" x1=\"0\" x2=\"{0}\" y1=\"{1:.1f}\" y2=\"{1:.1f}\"/>", kWidth, y_of(whole));
  svg += fmt::format("<line class=\"axis\" x1=\"0\" x2=\"{0}\" y1=\"{1}\" y2=\"{1}\"/>", kWidth, kHeight - kBottom);
  svg += fmt::format("<text x=\"0\" y=\"12\">{:.0f} % of one layer left out</text><text x=\"{}\" y=\"12\" text-anchor=\"end\">whole: {}</text>", 100 * sparsity, kWidth,
                     escaped(share_text(whole)));
  svg += fmt::format("<text x=\"0\" y=\"{0}\">first layer</text><text x=\"{1}\" y=\"{0}\" text-anchor=\"end\">last</text></svg>", kHeight - 4, kWidth);
  return "<figure><figcaption>" + escaped(job.id) + "</figcaption>" + svg + "</figure>\n";
}

std::string table(const JobRecord& job) {
  std::vector<std::vector<HtmlCell>> rows;
  for (const SensitivityRow& row : job.sensitivity) {
    rows.push_back({{escaped(row.layer), false, ""}, {fmt::format("{:.0f} %", 100 * row.sparsity), true, ""}, {escaped(share_text(row.top1)), true, ""}, {fmt::format("{:.4f}", row.loss), true, ""}});
  }
  return "<details><summary>" + escaped(job.id) + ", layer by layer</summary>" + html_table({"Layer", "Left out", "Held-out top-1", "Loss"}, rows) + "</details>\n";
}

}  // namespace

std::string sensitivity_section(const RunRecord& run) {
  std::string plots, tables;
  for (const JobRecord& job : run.jobs) {
    std::map<double, bool> shares;
    for (const SensitivityRow& row : job.sensitivity) shares[row.sparsity] = shares[row.sparsity] || row.layer != "none";
    for (const auto& [sparsity, any] : shares) plots += any ? plot(job, sparsity) : "";
    if (!job.sensitivity.empty()) tables += table(job);
  }
  if (plots.empty()) return "";
  return "<section><h2>Sensitivity</h2>\n<p class=\"faint\">Share of held-out images recognised when a part of one layer alone is left out, nothing fine-tuned; the line is "
         "the whole model.</p><div class=\"plots\">\n" +
         plots + "</div>\n" + tables + "</section>\n";
}

}  // namespace edgelab::results::report
