#include <fmt/format.h>

#include <cmath>
#include <map>

#include "results/report/html.hpp"
#include "results/report/plot.hpp"
#include "results/report/sections.hpp"
#include "results/text/units.hpp"

namespace edgelab::results::report {
namespace {

constexpr const char* kWholeModel = "none";  // the row of the model as it is

std::string loss_text(double loss) { return fmt::format("{:.4f}", loss); }
std::string more_loss(double loss) { return loss == 0 ? "0" : fmt::format("{:+.3g}", loss); }

// Accuracy by layer, in the order of the model, when a share of each alone is left out: a series a share.
std::string pruned_figure(const JobRecord& job) {
  Plot plot{"Accuracy of " + job.id + " with a part of one layer left out",
            {"layer, in the model's order", whole_tick, false, false, {}},
            {"held-out top-1", share_tick, false, true, {}},
            {},
            {}};
  std::map<double, Series> by_share;
  std::vector<std::vector<HtmlCell>> rows;
  for (const SensitivityRow& row : job.sensitivity) {
    if (row.layer == kWholeModel) {
      plot.guides.push_back({row.top1, "whole: " + share_text(row.top1), false});
    } else {
      Series& series = by_share[row.sparsity];
      series.name = fmt::format("{:.0f} % left out", 100 * row.sparsity);
      const Mark mark{static_cast<double>(series.marks.size() + 1), row.top1, row.layer + ": " + share_text(row.top1)};
      series.marks.push_back(mark);
      series.line.push_back(mark);
    }
    rows.push_back({text_cell(row.layer), number_cell(row.sparsity, fmt::format("{:.0f} %", 100 * row.sparsity)),
                    number_cell(row.top1, share_text(row.top1)), number_cell(row.loss, loss_text(row.loss))});
  }
  if (by_share.empty()) return "";
  if (by_share.size() == 1) plot.title = fmt::format("Accuracy of {} with {:.0f} % of one layer left out", job.id, 100 * by_share.begin()->first);
  for (auto& [share, series] : by_share) plot.series.push_back(std::move(series));
  return plot_html(plot,
                   "Share of held-out images recognised when a part of one layer alone is left out, nothing fine-tuned; the dashed line is the "
                   "whole model.",
                   html_table("Sensitivity of " + job.id, {"layer", "left out", "held-out top-1", "loss"}, rows));
}

// Loss by layer when it alone is in integers. One layer seldom changes the accuracy by an image; the loss, by which layers are
// chosen, tells them apart.
std::string quantized_figure(const JobRecord& job) {
  double floats = 0;
  for (const SensitivityRow& row : job.sensitivity) {
    if (row.layer == kWholeModel) floats = row.loss;
  }
  Plot plot{"Loss of " + job.id + " with one layer alone in integers",
            {"layer, in the model's order", whole_tick, false, false, {}},
            {"held-out loss, above the floats'", more_loss, false, true, {}},
            {{"in integers", {}, {}, {}}},
            {}};
  std::vector<std::vector<HtmlCell>> rows;
  for (const SensitivityRow& row : job.sensitivity) {
    const bool whole = row.layer == kWholeModel;
    const double above = row.loss - floats;
    std::vector<Mark>& marks = plot.series.front().marks;
    if (!whole)
      marks.push_back({static_cast<double>(marks.size() + 1), above, fmt::format("{}: {}, top-1 {}", row.layer, more_loss(above), share_text(row.top1))});
    rows.push_back({text_cell(whole ? "none: all floats" : row.layer), number_cell(row.top1, share_text(row.top1)),
                    number_cell(row.loss, loss_text(row.loss)), number_cell(above, whole ? "" : more_loss(above))});
  }
  return plot_html(plot, "Each layer alone in integers, all others in floats, on the held-out images. Layers that cost most stay in floats first.",
                   html_table("Sensitivity of " + job.id, {"layer in integers", "held-out top-1", "loss", "above the floats'"}, rows));
}

}  // namespace

std::string sensitivity_section(const RunRecord& run) {
  std::vector<std::string> figures;
  for (const JobRecord& job : run.jobs) {
    if (job.sensitivity.empty()) continue;
    // What it was that each layer had to bear, the table doesn't say: the task does.
    if (std::string html = job.task == "quantize" ? quantized_figure(job) : pruned_figure(job); !html.empty()) figures.push_back(std::move(html));
  }
  return section("Sensitivity", figures_html(figures));
}

}  // namespace edgelab::results::report
