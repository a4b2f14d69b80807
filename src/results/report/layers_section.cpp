#include <fmt/format.h>

#include <algorithm>

#include "results/report/html.hpp"
#include "results/report/sections.hpp"
#include "results/text/units.hpp"

namespace edgelab::results::report {
namespace {

constexpr std::size_t kShownLayers = 15;

std::string job_layers(const JobRecord& job) {
  std::vector<LayerRow> layers = job.layers;
  double whole = 0;
  for (const LayerRow& layer : layers) whole += static_cast<double>(layer.time_ns);
  std::stable_sort(layers.begin(), layers.end(),
                   [](const LayerRow& a, const LayerRow& b) { return a.time_ns > b.time_ns; });
  if (layers.size() > kShownLayers) layers.resize(kShownLayers);
  std::vector<std::vector<HtmlCell>> rows;
  for (const LayerRow& layer : layers) {
    const auto time = static_cast<double>(layer.time_ns);
    const bool fallen = layer.requested_dtype != layer.effective_dtype;
    rows.push_back(
        {{escaped(layer.name), false, ""},
         {escaped(layer.op), false, ""},
         {escaped(fallen ? layer.requested_dtype + " → " + layer.effective_dtype : layer.effective_dtype), false,
          fallen ? "warn" : ""},
         {escaped(layer.implementation), false, ""},
         {escaped(duration_text(time)), true, ""},
         {whole > 0 ? fmt::format("{:.1f} %", 100 * time / whole) : "", true, ""},
         {layer.flop > 0 && time > 0 ? escaped(figures_text(static_cast<double>(layer.flop) / time, 3)) : "", true, ""},
         {layer.sparsity > 0 ? escaped(share_text(layer.sparsity)) : "", true, ""},
         {escaped(layer.refused), false, "wrap"}});
  }
  std::string html =
      "<h3>" + escaped(job.id) + "</h3>\n" +
      html_table({"layer", "op", "type", "implementation", "time", "share", "GFLOP/s", "zeros", "why not a faster one"},
                 rows);
  if (job.layers.size() > kShownLayers)
    html += fmt::format("<p class=\"faint\">The slowest {} of {}.</p>\n", kShownLayers, job.layers.size());
  return html;
}

}  // namespace

std::string layers_section(const RunRecord& run) {
  std::string html;
  for (const JobRecord& job : run.jobs) {
    if (!job.layers.empty()) html += job_layers(job);
  }
  return html.empty() ? html : "<section><h2>Layers</h2>\n" + html + "</section>\n";
}

}  // namespace edgelab::results::report
