#include "results/report/tracks.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "results/report/html.hpp"
#include "results/report/plot.hpp"

namespace edgelab::results::report {
namespace {

const char* class_of(Piece::Look look) {
  switch (look) {
    case Piece::Look::full: return "full";
    case Piece::Look::thin: return "thin";
    case Piece::Look::tick: return "tick";
  }
  return "";
}

std::string piece_html(const Piece& piece, const Scale& scale) {
  const double left = 100 * scale.at(piece.from), right = 100 * scale.at(piece.to);
  return fmt::format(
      "<i class=\"{} s{} h{}\" data-series=\"{}\" style=\"left:{:.2f}%;width:{:.2f}%\" title=\"{}\">{}</i>",
      class_of(piece.look), piece.series % 8, piece.series % 4, piece.series, left, std::max(0.0, right - left),
      escaped(piece.title), escaped(piece.text));
}

}  // namespace

std::string tracks_html(const TrackChart& chart, const std::string& note, const std::string& table) {
  std::string html = "<div class=\"tracks\" role=\"img\" aria-label=\"" + escaped(chart.title) +
                     "; the numbers are in the table below\">";
  for (const Track& track : chart.tracks) {
    html += "<div class=\"label\">" + escaped(track.label) + "</div><div class=\"track\">";
    for (const Piece& piece : track.pieces) html += piece_html(piece, chart.scale);
    html += "</div>\n";
  }
  html += "<div class=\"label\"></div><div class=\"ticks\">";
  const auto& ticks = chart.scale.ticks();
  for (std::size_t i = 0; i < ticks.size(); ++i) {
    const double left = 100 * chart.scale.at(ticks[i]);
    // On a phone and on paper those in between go, and the one beside the last, whose text reaches to the left.
    const char* end = i == 0 ? "first" : i + 1 == ticks.size() && left > 90 ? "last" : i % 2 == 1 || i + 2 == ticks.size() ? "odd" : "even";
    html +=
        fmt::format("<span class=\"{}\" style=\"left:{:.2f}%\">{}</span>", end, left, escaped(chart.text(ticks[i])));
  }
  return figure_html(chart.title, chart.series, html + "</div></div>", note, table);
}

}  // namespace edgelab::results::report
