#include <fmt/format.h>

#include <map>
#include <tuple>

#include "results/report/html.hpp"
#include "results/report/plot.hpp"
#include "results/report/sections.hpp"
#include "results/statistics.hpp"
#include "results/text/units.hpp"

namespace edgelab::results::report {
namespace {

bool fell_back(const LayerRow& layer) { return layer.requested_dtype != layer.effective_dtype; }

double whole_time(const JobRecord& job) {
  double whole = 0;
  for (const LayerRow& layer : job.layers) whole += static_cast<double>(layer.time_ns);
  return whole;
}

std::string share_of(double part, double whole) { return whole > 0 ? fmt::format("{:.1f} %", 100 * part / whole) : ""; }

std::string table_html(const JobRecord& job) {
  const double whole = whole_time(job);
  std::vector<std::vector<HtmlCell>> rows;
  int number = 0;
  for (const LayerRow& layer : job.layers) {
    const auto time = static_cast<double>(layer.time_ns), flop = static_cast<double>(layer.flop);
    const bool rated = layer.flop > 0 && time > 0;
    const std::optional<double> of_limit = share_of_limit(layer);
    ++number;
    rows.push_back(
        {number_cell(number, std::to_string(number)), text_cell(layer.name), text_cell(layer.op),
         text_cell(fell_back(layer) ? layer.requested_dtype + " → " + layer.effective_dtype : layer.effective_dtype,
                   fell_back(layer) ? "warn" : ""),
         text_cell(layer.implementation), number_cell(time, duration_text(time)),
         number_cell(time, share_of(time, whole)),
         number_cell(rated ? flop / time : 0, rated ? figures_text(flop / time, 3) : ""),
         number_cell(of_limit.value_or(0), of_limit ? fmt::format("{:.0f} %", 100 * *of_limit) : ""),
         number_cell(layer.sparsity, layer.sparsity > 0 ? share_text(layer.sparsity) : ""),
         text_cell(layer.refused, "wrap")});
  }
  return html_table(
      "Layers of " + job.id,
      {"#", "layer", "op", "type", "implementation", "time", "share", "GFLOP/s", "of limit", "zeros", "why not a faster one"},
      rows);
}

// A bar a layer in the order of execution, coloured by the type it ran in.
std::string figure(const JobRecord& job) {
  Plot plot{"Time by layer, " + job.id,
            {"layer, in order of execution", whole_tick, false, false, {}},
            {"median time of a call", duration_text, false, true, {}},
            {},
            {}};
  std::map<std::string, Series> by_type;
  double place = 0;
  for (const LayerRow& layer : job.layers) {
    const std::string type =
        fell_back(layer) ? layer.effective_dtype + ", asked for " + layer.requested_dtype : layer.effective_dtype;
    Series& series = by_type[type];
    series.name = type;
    const auto time = static_cast<double>(layer.time_ns);
    series.bars.push_back(
        {place, place + 1, time,
         fmt::format("{} ({}): {}, {}", layer.name, layer.op, duration_text(time), layer.implementation)});
    place += 1;
  }
  for (auto& [type, series] : by_type) plot.series.push_back(std::move(series));
  return plot_html(plot, fmt::format("{} layers, {} in all.", job.layers.size(), duration_text(whole_time(job))),
                   table_html(job));
}

// "asked bf16, got fp32, because …": one row for each such sentence.
std::string precision_html(const RunRecord& run) {
  std::vector<std::vector<HtmlCell>> rows;
  for (const JobRecord& job : run.jobs) {
    struct Part {
      int layers = 0;
      double time = 0;
    };
    std::map<std::tuple<std::string, std::string, std::string>, Part> parts;
    for (const LayerRow& layer : job.layers) {
      if (!fell_back(layer)) continue;
      Part& part = parts[{layer.requested_dtype, layer.effective_dtype, layer.refused}];
      ++part.layers;
      part.time += static_cast<double>(layer.time_ns);
    }
    for (const auto& [key, part] : parts) {
      const auto& [asked, got, because] = key;
      rows.push_back({text_cell(job.id, "id"), text_cell(asked), text_cell(got, "warn"),
                      number_cell(part.layers, fmt::format("{} of {}", part.layers, job.layers.size())),
                      number_cell(part.time, share_of(part.time, whole_time(job))),
                      text_cell(because.empty() ? "no reason is noted" : because, "wrap")});
    }
  }
  if (rows.empty()) return "";
  return "<h3>Asked one type, got another</h3>\n" +
         html_table("Layers that ran in another type than asked",
                    {"job", "asked", "got", "layers", "of the time", "because"}, rows);
}

}  // namespace

std::string layers_section(const RunRecord& run) {
  std::vector<std::string> figures;
  for (const JobRecord& job : run.jobs) {
    if (!job.layers.empty()) figures.push_back(figure(job));
  }
  return section("Layers", figures_html(figures) + precision_html(run));
}

}  // namespace edgelab::results::report
