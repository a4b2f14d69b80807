#pragma once

#include <limits>
#include <string>
#include <vector>

// Plots as inline SVG. Every one has its numbers in a table behind it, and what shows by colour shows by shape or dash too.
namespace edgelab::results::report {

struct Mark {
  double x = 0, y = 0;
  std::string title;                                                  // shown on pointing at it
  double low = std::numeric_limits<double>::quiet_NaN(), high = low;  // ends of a whisker about y
  std::string label = {};  // stands beside it, where there is room: a number that a note explains
};

struct Bar {
  double from = 0, to = 0, height = 0;  // in the axes' units
  std::string title;
};

// What the script switches on and off as one.
struct Series {
  std::string name;
  std::vector<Mark> line;  // joined, where finite
  std::vector<Mark> marks;
  std::vector<Bar> bars;
};

struct Guide {  // a line across the plot
  double at = 0;
  std::string text;
  bool vertical = true;
};

struct Band {  // a stretch of the x axis that is marked
  double from = 0, to = 0;
  std::string title;
};

struct PlotAxis {
  std::string title;
  std::string (*text)(double) = nullptr;  // of a tick
  bool logarithmic = false;
  bool from_zero = false;
  std::vector<double> also;  // values that the axis is to reach
};

struct Plot {
  std::string title;
  PlotAxis x, y;
  std::vector<Series> series;
  std::vector<Guide> guides;
  std::vector<Band> bands = {};
};

// Texts of ticks. What is counted has none between whole numbers.
std::string whole_tick(double number);
std::string share_tick(double share);  // 0.95 → "95 %"

// `note` is text, `table` is HTML.
std::string plot_html(const Plot& plot, const std::string& note, const std::string& table);

// The figure about any drawing: caption, a legend where there are several series, the drawing, note and table.
std::string figure_html(const std::string& title, const std::vector<std::string>& series, const std::string& drawing,
                        const std::string& note, const std::string& table);

// Figures side by side where there is room; those after the first few folded away.
std::string figures_html(const std::vector<std::string>& figures);

}  // namespace edgelab::results::report
