#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "results/report/html.hpp"
#include "results/report/plot.hpp"
#include "results/report/sections.hpp"
#include "results/text/units.hpp"

namespace edgelab::results::report {
namespace {

// Accuracy by layer, in the order of the model, when a share of each alone is left out: a series a share.
std::string figure(const JobRecord& job) {
  Plot plot{"Accuracy of " + job.id + " with a part of one layer left out",
            {"layer, in the model's order", whole_tick, false, false, {}},
            {"held-out top-1", share_tick, false, true, {}},
            {},
            {}};
  std::map<double, Series> by_share;
  std::vector<std::vector<HtmlCell>> rows;
  for (const SensitivityRow& row : job.sensitivity) {
    if (row.layer == "none") {
      plot.guides.push_back({row.top1, "whole: " + share_text(row.top1), false});
    } else {
      Series& series = by_share[row.sparsity];
      series.name = fmt::format("{:.0f} % left out", 100 * row.sparsity);
      const Mark mark{static_cast<double>(series.marks.size() + 1), row.top1, row.layer + ": " + share_text(row.top1)};
      series.marks.push_back(mark);
      series.line.push_back(mark);
    }
    rows.push_back({text_cell(row.layer), number_cell(row.sparsity, fmt::format("{:.0f} %", 100 * row.sparsity)),
                    number_cell(row.top1, share_text(row.top1)),
                    number_cell(row.loss, fmt::format("{:.4f}", row.loss))});
  }
  if (by_share.empty()) return "";
  for (auto& [share, series] : by_share) plot.series.push_back(std::move(series));
  return plot_html(plot, "",
                   html_table("Sensitivity of " + job.id, {"layer", "left out", "held-out top-1", "loss"}, rows));
}

}  // namespace

std::string sensitivity_section(const RunRecord& run) {
  std::vector<std::string> figures;
  for (const JobRecord& job : run.jobs) {
    if (std::string html = figure(job); !html.empty()) figures.push_back(std::move(html));
  }
  if (figures.empty()) return "";
  return section("Sensitivity",
                 "<p class=\"faint\">Share of held-out images recognised when a part of one layer alone is left out, "
                 "nothing fine-tuned; the dashed line is the whole model.</p>" +
                     figures_html(figures));
}

}  // namespace edgelab::results::report
