#include <fmt/format.h>

#include <cmath>

#include "results/report/html.hpp"
#include "results/report/plot.hpp"
#include "results/report/sections.hpp"
#include "results/text/units.hpp"

namespace edgelab::results::report {
namespace {

std::string plain(double number) { return figures_text(number, 3); }

std::vector<Mark> curve(const JobRecord& job, double TrainingRow::*value, std::string (*text)(double)) {
  std::vector<Mark> marks;
  for (const TrainingRow& row : job.training)
    marks.push_back({static_cast<double>(row.epoch), row.*value,
                     fmt::format("{}, epoch {}: {}", job.id, row.epoch, text(row.*value))});
  return marks;
}

}  // namespace

std::string training_section(const RunRecord& run) {
  Plot loss{
      "Training loss", {"epoch", whole_tick, false, false, {}}, {"mean cross-entropy", plain, false, true, {}}, {}, {}};
  Plot accuracy{
      "Held-out accuracy", {"epoch", whole_tick, false, false, {}}, {"top-1", share_tick, false, true, {}}, {}, {}};
  Plot rate{
      "Learning rate", {"epoch", whole_tick, false, false, {}}, {"learning rate", plain, false, true, {}}, {}, {}};
  std::vector<std::vector<HtmlCell>> rows;
  for (const JobRecord& job : run.jobs) {
    if (job.training.empty()) continue;
    const auto add = [&](Plot& plot, double TrainingRow::*value, std::string (*text)(double)) {
      const std::vector<Mark> marks = curve(job, value, text);
      plot.series.push_back({job.id, marks, marks.size() <= 30 ? marks : std::vector<Mark>{}, {}});
    };
    add(loss, &TrainingRow::loss, plain);
    add(accuracy, &TrainingRow::top1, share_text);
    add(rate, &TrainingRow::learning_rate, plain);
    for (const TrainingRow& row : job.training) {
      rows.push_back({text_cell(job.id, "id"), number_cell(row.epoch, std::to_string(row.epoch)),
                      number_cell(row.loss, fmt::format("{:.4f}", row.loss)),
                      number_cell(row.top1, std::isfinite(row.top1) ? share_text(row.top1) : ""),
                      number_cell(row.learning_rate, fmt::format("{:.3g}", row.learning_rate)),
                      number_cell(row.samples_per_second, fmt::format("{:.0f}", row.samples_per_second))});
    }
  }
  if (rows.empty()) return "";
  const std::string table =
      html_table("Training, epoch by epoch",
                 {"job", "epoch", "training loss", "held-out top-1", "learning rate", "images/s"}, rows);
  return section("Training",
                 figures_html({plot_html(loss, "Mean over the training images of each epoch.", table),
                               plot_html(accuracy, "Share of held-out images recognised after each epoch.", table),
                               plot_html(rate, "", table)}));
}

}  // namespace edgelab::results::report
