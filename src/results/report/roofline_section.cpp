#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "results/report/html.hpp"
#include "results/report/plot.hpp"
#include "results/report/sections.hpp"
#include "results/text/units.hpp"

namespace edgelab::results::report {
namespace {

std::string plain(double number) { return figures_text(number, number < 1 ? 1 : 3); }

struct Rated {
  const LayerRow* layer;
  double intensity;  // FLOP a byte
  double gigaflops;  // a second
  double gigabytes;  // a second
};

std::vector<Rated> rated_layers(const JobRecord& job) {
  std::vector<Rated> rated;
  for (const LayerRow& layer : job.layers) {
    if (layer.flop <= 0 || layer.bytes <= 0 || layer.time_ns <= 0) continue;
    const auto flop = static_cast<double>(layer.flop), bytes = static_cast<double>(layer.bytes),
               time = static_cast<double>(layer.time_ns);
    rated.push_back({&layer, flop / bytes, flop / time, bytes / time});
  }
  return rated;
}

// The roofline model (Williams, Waterman and Patterson 2009). The flat roof is what was measured of the machine, of the types that
// layers ran in the highest; files without that, and bandwidth, have the best that any layer of this job reached: layers below have
// something to gain, those on the roof set it.
std::string figure(const JobRecord& job, const std::vector<Rated>& rated) {
  double peak = 0, bandwidth = 0, least = rated.front().intensity, most = least;
  bool limited = false;
  std::map<std::string, Series> by_op;
  std::vector<std::vector<HtmlCell>> rows;
  for (const Rated& item : rated) {
    peak = std::max({peak, item.gigaflops, item.layer->limit_flop_per_second / 1e9});
    limited = limited || item.layer->limit_flop_per_second > 0;
    bandwidth = std::max(bandwidth, item.gigabytes);
    least = std::min(least, item.intensity);
    most = std::max(most, item.intensity);
  }
  for (const Rated& item : rated) {
    const double roof = std::min(peak, bandwidth * item.intensity);
    Series& series = by_op[item.layer->op];
    series.name = item.layer->op;
    series.marks.push_back(
        {item.intensity, item.gigaflops,
         fmt::format("{}: {} GFLOP/s, {:.0f} % of the roof, {}", item.layer->name, plain(item.gigaflops),
                     100 * item.gigaflops / roof, duration_text(static_cast<double>(item.layer->time_ns)))});
    rows.push_back({text_cell(item.layer->name), text_cell(item.layer->op),
                    number_cell(item.intensity, figures_text(item.intensity, 3)),
                    number_cell(item.gigaflops, figures_text(item.gigaflops, 3)),
                    number_cell(item.gigabytes, figures_text(item.gigabytes, 3)),
                    number_cell(item.gigaflops / roof, fmt::format("{:.0f} %", 100 * item.gigaflops / roof)),
                    number_cell(static_cast<double>(item.layer->time_ns),
                                duration_text(static_cast<double>(item.layer->time_ns)))});
  }
  Plot plot{
      "Roofline of " + job.id, {"FLOP a byte", plain, true, false, {}}, {"GFLOP/s", plain, true, false, {}}, {}, {}};
  Series roof{limited ? "limit" : "best reached", {}, {}, {}};
  const double ridge = peak / bandwidth;
  for (const double x : {least, std::clamp(ridge, least, most), most})
    roof.line.push_back({x, std::min(peak, bandwidth * x), ""});
  plot.series.push_back(std::move(roof));
  for (auto& [op, series] : by_op) plot.series.push_back(std::move(series));
  return plot_html(
      plot,
      fmt::format(
          "{} GFLOP/s is {}; {} GB/s is the best that a layer of this job reached, from caches too.",
          figures_text(peak, 3), limited ? "what the threads reach in a product from cache" : "the same of operations",
          figures_text(bandwidth, 3)),
      html_table("Roofline of " + job.id, {"layer", "op", "FLOP a byte", "GFLOP/s", "GB/s", "of the roof", "time"},
                 rows));
}

}  // namespace

std::string roofline_section(const RunRecord& run) {
  std::vector<std::string> figures;
  for (const JobRecord& job : run.jobs) {
    if (const auto rated = rated_layers(job); !rated.empty()) figures.push_back(figure(job, rated));
  }
  return section("Roofline", figures_html(figures));
}

}  // namespace edgelab::results::report
