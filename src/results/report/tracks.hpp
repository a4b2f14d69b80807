#pragma once

#include <string>
#include <vector>

#include "results/report/scale.hpp"

// Bars along rows: a Gantt chart, shares of a time, ranges. They are boxes of HTML, not SVG, so that their texts keep their
// size on any screen.
namespace edgelab::results::report {

struct Piece {
  enum class Look { full, thin, tick };
  double from = 0, to = 0;
  std::size_t series = 0;
  std::string title;  // shown on pointing at it
  std::string text;   // inside, cut where there is no room
  Look look = Look::full;
};

struct Track {
  std::string label;
  std::vector<Piece> pieces;
};

struct TrackChart {
  std::string title;
  std::vector<std::string> series;
  Scale scale;
  std::string (*text)(double) = nullptr;  // of a tick
  std::vector<Track> tracks;
};

std::string tracks_html(const TrackChart& chart, const std::string& note, const std::string& table);

}  // namespace edgelab::results::report
