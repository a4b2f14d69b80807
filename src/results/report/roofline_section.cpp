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

// A roof, and whether it was measured by itself, or is the best that any of these layers reached.
struct Roof {
  double height = 0;
  bool measured = false;
};

// Of each type that layers ran in, GFLOP/s.
using FlatRoofs = std::map<std::string, Roof>;

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

FlatRoofs flat_roofs(const std::vector<Rated>& layers) {
  FlatRoofs roofs;
  for (const Rated& item : layers) {
    Roof& roof = roofs[item.layer->effective_dtype];
    const double limit = item.layer->limit_flop_per_second / 1e9;
    if (limit > 0) roof = {roof.measured ? std::max(roof.height, limit) : limit, true};
    if (!roof.measured) roof.height = std::max(roof.height, item.gigaflops);
  }
  return roofs;
}

// GB/s.
Roof sloping_roof(const JobRecord& job, const std::vector<Rated>& layers) {
  Roof roof;
  for (const RankRow& rank : job.ranks) roof.height = std::max(roof.height, rank.memory_bytes_per_second / 1e9);
  roof.measured = roof.height > 0;
  if (roof.measured) return roof;
  for (const Rated& item : layers) roof.height = std::max(roof.height, item.gigabytes);
  return roof;
}

// "fp32 98.2, int8 391"
std::string heights(const FlatRoofs& roofs, bool measured) {
  std::string text;
  for (const auto& [type, roof] : roofs) {
    if (roof.measured == measured) text += (text.empty() ? "" : ", ") + type + " " + figures_text(roof.height, 3);
  }
  return text;
}

std::string note_on(const FlatRoofs& flat, const Roof& slope) {
  std::string note;
  const auto add = [&](const std::string& sentence) { note += (note.empty() ? "" : " ") + sentence; };
  if (const std::string text = heights(flat, true); !text.empty())
    add("Flat: what the threads reach in a matrix product of the type, operands in cache, GFLOP/s: " + text + ".");
  if (const std::string text = heights(flat, false); !text.empty())
    add("Flat: the best that a layer of the type reached in this job, GFLOP/s: " + text + ".");
  if (slope.measured)
    add(fmt::format("Slope: {} GB/s, what the threads read from main memory; layers above it had their data in caches.",
                    figures_text(slope.height, 3)));
  else
    add(fmt::format("Slope: {} GB/s, the best that a layer of this job reached, from caches too.", figures_text(slope.height, 3)));
  return note;
}

// From the least to the highest intensity, by the ridge between slope and flat.
std::vector<Mark> roof_line(double flat, double slope, double least, double most) {
  std::vector<Mark> line;
  for (const double x : {least, std::clamp(flat / slope, least, most), most}) line.push_back({x, std::min(flat, slope * x), ""});
  return line;
}

// The roofline model (Williams, Waterman and Patterson 2009): a flat roof for each type, since a machine multiplies int8 several
// times as fast as fp32, and the memory's slope, which is one for all.
std::string figure(const JobRecord& job, const std::vector<Rated>& rated) {
  const FlatRoofs flat = flat_roofs(rated);
  const Roof slope = sloping_roof(job, rated);
  const auto [least, most] = std::ranges::minmax(rated, {}, &Rated::intensity);
  std::map<std::string, Series> by_type;
  std::vector<std::vector<HtmlCell>> rows;
  for (const auto& [type, roof] : flat)
    by_type[type] = {type, roof_line(roof.height, slope.height, least.intensity, most.intensity), {}, {}};
  for (const Rated& item : rated) {
    const std::string& type = item.layer->effective_dtype;
    const double share = item.gigaflops / std::min(flat.at(type).height, slope.height * item.intensity);
    const std::string of_roof = fmt::format("{:.0f} %", 100 * share);
    const auto time = static_cast<double>(item.layer->time_ns);
    by_type[type].marks.push_back({item.intensity, item.gigaflops,
                                   fmt::format("{} ({}): {} GFLOP/s, {} of the roof, {}", item.layer->name, item.layer->op,
                                               plain(item.gigaflops), of_roof, duration_text(time))});
    rows.push_back({text_cell(item.layer->name), text_cell(item.layer->op), text_cell(type),
                    number_cell(item.intensity, figures_text(item.intensity, 3)),
                    number_cell(item.gigaflops, figures_text(item.gigaflops, 3)),
                    number_cell(item.gigabytes, figures_text(item.gigabytes, 3)), number_cell(share, of_roof),
                    number_cell(time, duration_text(time))});
  }
  Plot plot{"Roofline of " + job.id, {"FLOP a byte", plain, true, false, {}}, {"GFLOP/s", plain, true, false, {}}, {}, {}};
  for (auto& [type, series] : by_type) plot.series.push_back(std::move(series));
  return plot_html(plot, note_on(flat, slope),
                   html_table("Roofline of " + job.id, {"layer", "op", "type", "FLOP a byte", "GFLOP/s", "GB/s", "of the roof", "time"}, rows));
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
