#include "results/report/plot.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <utility>

#include "results/report/html.hpp"
#include "results/report/scale.hpp"
#include "results/text/width.hpp"

namespace edgelab::results::report {
namespace {

// At this size letters of 12 units are 11 pixels on a phone and 16 in two columns on a desk.
constexpr double kWidth = 400, kHeight = 256, kLeft = 64, kRight = 28, kTop = 20, kBottom = 42;
constexpr double kLetter = 7.5;  // width of a digit, at most
constexpr std::size_t kColours = 8;
constexpr std::size_t kUnfolded = 6;

struct Frame {
  Scale x, y;
  double left(double value) const { return kLeft + x.at(value) * (kWidth - kLeft - kRight); }
  double top(double value) const { return kHeight - kBottom - y.at(value) * (kHeight - kTop - kBottom); }
};

Scale scale_of(const PlotAxis& axis, std::vector<double> values) {
  values.insert(values.end(), axis.also.begin(), axis.also.end());
  return axis.logarithmic ? Scale::logarithmic(values) : Scale::linear(values, axis.from_zero);
}

Frame frame_of(const Plot& plot) {
  std::vector<double> x, y;
  for (const Series& series : plot.series) {
    for (const auto* marks : {&series.line, &series.marks}) {
      for (const Mark& mark : *marks) {
        x.push_back(mark.x);
        for (const double value : {mark.y, mark.low, mark.high}) y.push_back(value);
      }
    }
    for (const Bar& bar : series.bars) {
      x.insert(x.end(), {bar.from, bar.to});
      y.push_back(bar.height);
    }
  }
  return {scale_of(plot.x, std::move(x)), scale_of(plot.y, std::move(y))};
}

std::string title_of(const std::string& text) { return text.empty() ? "" : "<title>" + escaped(text) + "</title>"; }

// Marked by a line along the top too, which shows where the shade doesn't.
std::string bands_svg(const Plot& plot, const Frame& frame) {
  std::string svg;
  for (const Band& band : plot.bands) {
    const double left = frame.left(band.from), width = std::max(1.0, frame.left(band.to) - left);
    svg += fmt::format("<rect class=\"band\" x=\"{0:.1f}\" y=\"{1}\" width=\"{2:.1f}\" height=\"{3}\">{4}</rect><rect class=\"band-top\" x=\"{0:.1f}\" y=\"{1}\" width=\"{2:.1f}\" height=\"3\"/>",
                       left, kTop, width, kHeight - kTop - kBottom, title_of(band.title));
  }
  return svg;
}

double letters_width(const std::string& text) { return kLetter * static_cast<double>(width_of(text)); }

// Where the middle of a tick's text goes: below the tick, but a long one at the right end, "1 min 20 s", keeps within the drawing.
double middle_of(const std::string& text, double tick) { return std::min(tick, kWidth - letters_width(text) / 2); }

// Every which tick along x gets its text, so that none lies on another.
std::size_t labelled_ticks(const Plot& plot, const Frame& frame) {
  const auto& ticks = frame.x.ticks();
  const auto apart = [&](std::size_t step) {
    double end = -kLetter;
    for (std::size_t i = 0; i < ticks.size(); i += step) {
      const std::string text = plot.x.text(ticks[i]);
      const double middle = middle_of(text, frame.left(ticks[i])), half = letters_width(text) / 2;
      if (middle - half < end + kLetter) return false;
      end = middle + half;
    }
    return true;
  };
  std::size_t step = ticks.size() > 6 ? 2 : 1;
  while (step < ticks.size() && !apart(step)) ++step;
  return step;
}

std::string axes_svg(const Plot& plot, const Frame& frame) {
  std::string svg;
  for (const double tick : frame.y.ticks()) {
    const double top = frame.top(tick);
    svg += fmt::format("<line class=\"grid\" x1=\"{}\" x2=\"{}\" y1=\"{:.1f}\" y2=\"{:.1f}\"/>", kLeft, kWidth - kRight,
                       top, top);
    svg += fmt::format("<text x=\"{}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>", kLeft - 5, top + 4,
                       escaped(plot.y.text(tick)));
  }
  const auto& ticks = frame.x.ticks();
  const std::size_t step = labelled_ticks(plot, frame);
  for (std::size_t i = 0; i < ticks.size(); ++i) {
    const double left = frame.left(ticks[i]);
    svg += fmt::format("<line class=\"axis\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1}\" y2=\"{2}\"/>", left,
                       kHeight - kBottom, kHeight - kBottom + 4);
    if (i % step != 0) continue;
    const std::string text = plot.x.text(ticks[i]);
    svg += fmt::format("<text x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\">{}</text>", middle_of(text, left), kHeight - kBottom + 16, escaped(text));
  }
  svg += fmt::format("<line class=\"axis\" x1=\"{}\" x2=\"{}\" y1=\"{}\" y2=\"{}\"/>", kLeft, kWidth - kRight,
                     kHeight - kBottom, kHeight - kBottom);
  svg += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>", (kLeft + kWidth - kRight) / 2,
                     kHeight - 8, escaped(plot.x.title));
  return svg;
}

std::string guides_svg(const Plot& plot, const Frame& frame) {
  std::string svg;
  double last = -1000;  // labels nearer than their own width would lie on each other
  for (const Guide& guide : plot.guides) {
    if (!std::isfinite(guide.at)) continue;
    if (guide.vertical) {
      const double left = frame.left(guide.at);
      svg += fmt::format("<line class=\"mark\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1}\" y2=\"{2}\"/>", left, kTop,
                         kHeight - kBottom);
      if (left - last > 28) {
        svg += fmt::format("<text x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\">{}</text>", left, kTop - 9,
                           escaped(guide.text));
        last = left;
      }
    } else {
      const double top = frame.top(guide.at);
      svg += fmt::format("<line class=\"mark\" x1=\"{0}\" x2=\"{1}\" y1=\"{2:.1f}\" y2=\"{2:.1f}\"/>", kLeft,
                         kWidth - kRight, top);
      svg += fmt::format("<text x=\"{}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>", kWidth - kRight, top - 4,
                         escaped(guide.text));
    }
  }
  return svg;
}

// Circle, square, triangle, diamond: half of the colours, so that two of one shape differ in colour by far.
std::string shape_svg(std::size_t series, double left, double top, const std::string& title) {
  static constexpr std::array<const char*, 4> kPaths = {"m-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0", "m-3.5-3.5h7v7h-7z",
                                                        "m0-4.6l4.4 8h-8.8z", "m0-5l5 5l-5 5l-5-5z"};
  return fmt::format("<path class=\"dot\" d=\"M{:.1f} {:.1f}{}\">{}</path>", left, top, kPaths[series % kPaths.size()],
                     title_of(title));
}

// Places for the labels of marks, none on another.
class LabelPlaces {
 public:
  // The left end of the label's baseline: right above the mark if that is free, else at one of the other places around it,
  // nearest first. Nothing where all are taken: the mark's title and the table have what it says.
  std::optional<std::pair<double, double>> place(double x, double y, std::size_t letters) {
    const double width = kLetter * static_cast<double>(letters);
    for (const double away : {0.0, kLine, 2 * kLine}) {
      for (const auto& [dx, dy] : {std::pair{6.0, -6.0 - away}, {-6.0 - width, -6.0 - away}, {6.0, 14.0 + away}, {-6.0 - width, 14.0 + away}}) {
        const Box box{x + dx, y + dy - kLine, x + dx + width, y + dy};
        if (box.left < kLeft || box.right > kWidth || box.top < 0 || box.bottom > kHeight - kBottom - 2) continue;
        if (std::ranges::any_of(taken_, [&](const Box& other) { return box.meets(other); })) continue;
        taken_.push_back(box);
        return std::pair{box.left, box.bottom};
      }
    }
    return {};
  }

 private:
  static constexpr double kLine = 13;  // of letters of 12 units
  struct Box {
    double left, top, right, bottom;
    bool meets(const Box& other) const { return left < other.right && other.left < right && top < other.bottom && other.top < bottom; }
  };
  std::vector<Box> taken_;
};

std::string series_svg(const Series& series, std::size_t index, const Frame& frame, LabelPlaces& places) {
  std::string svg = fmt::format("<g class=\"s{}\" data-series=\"{}\">", index % kColours, index);
  for (const Bar& bar : series.bars) {
    const double left = frame.left(bar.from), right = frame.left(bar.to), top = frame.top(bar.height);
    if (top >= kHeight - kBottom) continue;
    svg += fmt::format("<rect class=\"bar\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\">{}</rect>",
                       left, top, std::max(0.6, (right - left) * 0.92), kHeight - kBottom - top, title_of(bar.title));
  }
  std::string points;
  for (const Mark& mark : series.line) {
    if (std::isfinite(mark.y)) points += fmt::format("{:.1f},{:.1f} ", frame.left(mark.x), frame.top(mark.y));
  }
  if (!points.empty()) svg += fmt::format("<polyline class=\"line d{}\" points=\"{}\"/>", index % 4, points);
  for (const Mark& mark : series.marks) {
    if (!std::isfinite(mark.y)) continue;
    if (std::isfinite(mark.low) && std::isfinite(mark.high))
      svg += fmt::format("<line class=\"whisker\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1:.1f}\" y2=\"{2:.1f}\"/>",
                         frame.left(mark.x), frame.top(mark.low), frame.top(mark.high));
    svg += shape_svg(index, frame.left(mark.x), frame.top(mark.y), mark.title);
    if (mark.label.empty()) continue;
    if (const auto place = places.place(frame.left(mark.x), frame.top(mark.y), mark.label.size()))
      svg += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\">{}</text>", place->first, place->second, escaped(mark.label));
  }
  return svg + "</g>";
}

// The mark of a series, as the legend shows it.
std::string swatch(std::size_t index) {
  return fmt::format("<svg class=\"swatch s{}\" viewBox=\"-7 -7 14 14\" aria-hidden=\"true\">{}</svg>",
                     index % kColours, shape_svg(index, 0, 0, ""));
}

}  // namespace

std::string whole_tick(double number) {
  return std::abs(number - std::round(number)) < 1e-6 ? fmt::format("{:.0f}", number) : "";
}

std::string share_tick(double share) { return fmt::format("{:.4g} %", 100 * share); }

std::string figure_html(const std::string& title, const std::vector<std::string>& series, const std::string& drawing,
                        const std::string& note, const std::string& table) {
  std::string html = "<figure><figcaption>" + escaped(title) + "</figcaption>";
  if (series.size() > 1) {
    html += "<ul class=\"legend\">";
    for (std::size_t i = 0; i < series.size(); ++i)
      html += fmt::format("<li data-series=\"{}\">{}{}</li>", i, swatch(i), escaped(series[i]));
    html += "</ul>";
  }
  html += drawing;
  if (!note.empty()) html += "<p class=\"faint\">" + escaped(note) + "</p>";
  return html + folded("Table: " + title, table) + "</figure>\n";
}

std::string plot_html(const Plot& plot, const std::string& note, const std::string& table) {
  const Frame frame = frame_of(plot);
  std::string svg = fmt::format(
      "<p class=\"ytitle\">{}</p><svg class=\"plot\" viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}; the numbers "
      "are in the table below\">",
      escaped(plot.y.title), kWidth, kHeight, escaped(plot.title));
  svg += bands_svg(plot, frame) + axes_svg(plot, frame) + guides_svg(plot, frame);
  LabelPlaces places;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < plot.series.size(); ++i) {
    svg += series_svg(plot.series[i], i, frame, places);
    names.push_back(plot.series[i].name);
  }
  return figure_html(plot.title, names, svg + "</svg>", note, table);
}

std::string figures_html(const std::vector<std::string>& figures) {
  std::string shown, more;
  for (std::size_t i = 0; i < figures.size(); ++i) (i < kUnfolded ? shown : more) += figures[i];
  if (shown.empty()) return "";
  std::string html = "<div class=\"plots\">\n" + shown + "</div>\n";
  if (!more.empty())
    html += folded(fmt::format("{} more", figures.size() - kUnfolded), "<div class=\"plots\">\n" + more + "</div>\n");
  return html;
}

}  // namespace edgelab::results::report
