#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "results/report/html.hpp"
#include "results/report/plot.hpp"
#include "results/report/sections.hpp"
#include "results/text/units.hpp"

namespace edgelab::results::report {
namespace {

std::string table_html(const JobRecord& job) {
  std::vector<std::vector<HtmlCell>> rows;
  for (const TrialRow& trial : job.trials) {
    const auto bytes = static_cast<double>(trial.bytes), took = static_cast<double>(trial.duration_ns);
    const bool failed = !std::isfinite(trial.top1);
    rows.push_back({number_cell(static_cast<double>(trial.number), std::to_string(trial.number)), text_cell(trial.settings, "wrap"),
                    number_cell(trial.top1, failed ? "" : share_text(trial.top1)),
                    number_cell(trial.loss, std::isfinite(trial.loss) ? fmt::format("{:.4f}", trial.loss) : ""),
                    number_cell(bytes, trial.bytes > 0 ? bytes_text(bytes) : ""), number_cell(took, duration_text(took)),
                    text_cell(trial.taken ? "✓ taken" : failed ? "✗ failed" : "", trial.taken ? "good" : "bad")});
  }
  return html_table("Trials of " + job.id, {"trial", "settings", "held-out top-1", "loss", "file", "took", "result"}, rows);
}

// Accuracy of each trial, in their order, and which the job went on with.
std::string figure(const JobRecord& job) {
  Plot plot{"Trials of " + job.id, {"trial", whole_tick, false, false, {}}, {"held-out top-1", share_tick, false, false, {}}, {}, {}};
  Series tried{"tried", {}, {}, {}}, taken{"taken", {}, {}, {}};
  std::string note;
  for (const TrialRow& trial : job.trials) {
    (trial.taken ? taken : tried)
        .marks.push_back({static_cast<double>(trial.number), trial.top1,
                          fmt::format("trial {}, {}: {}", trial.number, trial.settings, share_text(trial.top1))});
    if (trial.taken) note = fmt::format("Taken: trial {}, {}.", trial.number, trial.settings);
    if (trial.number == 0 && std::isfinite(trial.top1)) plot.guides.push_back({trial.top1, "the job's own settings", false});
  }
  const auto failed = std::ranges::count_if(job.trials, [](const TrialRow& trial) { return !std::isfinite(trial.top1); });
  if (failed > 0) note += fmt::format("{}{} of {} failed.", note.empty() ? "" : " ", failed, job.trials.size());
  plot.series = {std::move(tried), std::move(taken)};
  return plot_html(plot, note, table_html(job));
}

}  // namespace

std::string trials_section(const RunRecord& run) {
  std::vector<std::string> figures;
  for (const JobRecord& job : run.jobs) {
    if (!job.trials.empty()) figures.push_back(figure(job));
  }
  return section("Searches", figures_html(figures));
}

}  // namespace edgelab::results::report
