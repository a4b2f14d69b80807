#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "results/report/html.hpp"
#include "results/report/plot.hpp"
#include "results/report/sections.hpp"
#include "results/text/units.hpp"

namespace edgelab::results::report {
namespace {

// A quantity that was predicted.
struct Predicted {
  const char* title;
  const char* axis;
  double ForecastRecord::*predicted;
  double ForecastRecord::*measured;
  std::string (*text)(double);
  const char* note;
};

constexpr Predicted kTime = {"Time of a call, predicted and measured", "a call", &ForecastRecord::predicted_latency_ns,
                             &ForecastRecord::measured_latency_ns, duration_text, "Below the line: faster than predicted."};
constexpr Predicted kRate = {"Throughput, predicted and measured", "samples/s", &ForecastRecord::predicted_samples_per_second,
                             &ForecastRecord::measured_samples_per_second, rate_text, "Above the line: faster than predicted."};
constexpr Predicted kBytes = {"Bytes sent for a micro-batch, predicted and measured", "bytes sent", &ForecastRecord::predicted_bytes,
                              &ForecastRecord::measured_bytes, bytes_text, ""};

// What was predicted less what was measured, of what was measured.
HtmlCell error_cell(double predicted, double measured) {
  if (!(measured > 0)) return number_cell(0, "");
  const double error = predicted / measured - 1;
  return number_cell(error, fmt::format("{:+.1f} %", 100 * error));
}

std::string table_of(const std::vector<const JobRecord*>& jobs, const Predicted& quantity) {
  std::vector<std::vector<HtmlCell>> rows;
  for (const JobRecord* job : jobs) {
    const double predicted = job->forecast.*quantity.predicted, measured = job->forecast.*quantity.measured;
    rows.push_back({text_cell(job->id, "id"), text_cell(job->forecast.layout), number_cell(predicted, quantity.text(predicted)),
                    number_cell(measured, quantity.text(measured)), error_cell(predicted, measured)});
  }
  return html_table(quantity.title, {"job", "layout", "predicted", "measured", "error"}, rows);
}

// Predicted along, measured up, and the diagonal on which they are the same.
std::string figure(const std::vector<const JobRecord*>& jobs, const Predicted& quantity) {
  const std::string name = quantity.axis;
  Plot plot{quantity.title, {name + ", predicted", quantity.text, true, false, {}}, {name + ", measured", quantity.text, true, false, {}}, {}, {}};
  Series same{"as predicted", {}, {}, {}}, splits{"split models", {}, {}, {}};
  std::vector<double> both;
  for (const JobRecord* job : jobs) {
    const double predicted = job->forecast.*quantity.predicted, measured = job->forecast.*quantity.measured;
    if (!(predicted > 0) || !(measured > 0)) continue;
    splits.marks.push_back({predicted, measured, fmt::format("{}, {}: {}, predicted {}", job->id, job->forecast.layout, quantity.text(measured), quantity.text(predicted))});
    both.insert(both.end(), {predicted, measured});
  }
  if (both.empty()) return "";
  const auto [least, most] = std::ranges::minmax(both);
  same.line = {{least, least, ""}, {most, most, ""}};
  plot.x.also = plot.y.also = both;
  plot.series = {std::move(same), std::move(splits)};
  return plot_html(plot, quantity.note, table_of(jobs, quantity));
}

}  // namespace

std::string forecast_section(const RunRecord& run) {
  std::vector<const JobRecord*> jobs;
  for (const JobRecord& job : run.jobs) {
    if (!job.forecast.layout.empty()) jobs.push_back(&job);
  }
  if (jobs.empty()) return "";
  std::vector<std::string> figures;
  for (const Predicted& quantity : {kTime, kRate}) {
    if (std::string html = figure(jobs, quantity); !html.empty()) figures.push_back(std::move(html));
  }
  return section("Predicted and measured", figures_html(figures) + folded(kBytes.title, table_of(jobs, kBytes)));
}

}  // namespace edgelab::results::report
