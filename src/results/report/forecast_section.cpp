#include "results/report/html.hpp"
#include "results/report/sections.hpp"
#include "results/text/units.hpp"

namespace edgelab::results::report {

std::string forecast_section(const RunRecord& run) {
  std::vector<std::vector<HtmlCell>> rows;
  for (const JobRecord& job : run.jobs) {
    const ForecastRecord& f = job.forecast;
    if (f.layout.empty()) continue;
    const auto time = [](double ns) { return number_cell(ns, duration_text(ns)); };
    const auto rate = [](double per_second) { return number_cell(per_second, rate_text(per_second)); };
    const auto bytes = [](double count) { return number_cell(count, bytes_text(count)); };
    rows.push_back({text_cell(job.id, "id"), text_cell(f.layout), time(f.predicted_latency_ns), time(f.measured_latency_ns),
                    rate(f.predicted_samples_per_second), rate(f.measured_samples_per_second),
                    bytes(f.predicted_bytes), bytes(f.measured_bytes)});
  }
  if (rows.empty()) return "";
  return section("Predicted and measured",
                 html_table("Predicted and measured",
                            {"job", "layout", "a call, predicted", "measured", "samples/s, predicted", "measured",
                             "sent a micro-batch, predicted", "measured"},
                            rows));
}

}  // namespace edgelab::results::report
