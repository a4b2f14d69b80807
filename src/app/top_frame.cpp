#include "app/top_frame.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "results/text/sparkline.hpp"
#include "results/text/units.hpp"
#include "results/text/width.hpp"

namespace edgelab::app {
namespace {

using batch::QueueRow;
using batch::QueueView;
using results::Ink;
using results::Look;

constexpr std::size_t kSparkColumns = 24;

// Lines no wider than the terminal; `text` of one ink.
class Lines {
 public:
  explicit Lines(const Look& look) : look_(look) {}

  void add(std::string_view text, Ink ink = Ink::plain) {
    lines_.push_back(results::painted(results::cut_to(results::safe_for_terminal(text), width()), ink, look_));
  }
  // Two inks on a line; the second part gives way.
  void add(std::string_view first, Ink ink, std::string_view rest, Ink ink_of_rest) {
    const std::string head = results::cut_to(results::safe_for_terminal(first), width());
    const std::string tail = results::cut_to(results::safe_for_terminal(rest), width() - results::width_of(head));
    lines_.push_back(results::painted(head, ink, look_) + results::painted(tail, ink_of_rest, look_));
  }
  // Parts side by side as far as they fit, then on further lines.
  void flow(const std::vector<std::string>& parts, std::size_t indent, Ink ink = Ink::plain) {
    std::string line;
    for (const std::string& part : parts) {
      if (!line.empty() && results::width_of(line) + 3 + results::width_of(part) > width()) {
        add(line, ink);
        line.clear();
      }
      line += (line.empty() ? std::string(indent, ' ') : "   ") + part;
    }
    if (!line.empty()) add(line, ink);
  }

  std::size_t width() const { return static_cast<std::size_t>(std::max(look_.width, 1)); }
  std::size_t size() const { return lines_.size(); }
  void append(const Lines& more) { lines_.insert(lines_.end(), more.lines_.begin(), more.lines_.end()); }
  std::string text(std::size_t rows) const {
    const auto end = lines_.begin() + static_cast<std::ptrdiff_t>(std::min(rows, lines_.size()));
    return fmt::format("{}\n", fmt::join(lines_.begin(), end, "\n"));
  }

 private:
  Look look_;
  std::vector<std::string> lines_;
};

std::string clock_text(std::int64_t ns) {
  const std::int64_t seconds = ns / 1'000'000'000;
  return fmt::format("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
}

std::string bar(double fraction, std::size_t columns) {
  const auto full = static_cast<std::size_t>(std::clamp(fraction, 0.0, 1.0) * static_cast<double>(columns) + 0.5);
  std::string text = "[";
  for (std::size_t i = 0; i < columns; ++i) text += i < full ? "#" : ".";
  return text + "]";
}

std::size_t bar_columns(const Lines& lines) { return std::clamp<std::size_t>(lines.width() / 4, 6, 24); }

void add_whole(const BatchMoment& moment, Lines& lines) {
  const QueueView& view = moment.view;
  std::string place = moment.host.empty() ? "" : " on " + moment.host;
  if (moment.running_ns > 0) place += ", " + clock_text(moment.running_ns);
  lines.add(moment.name, Ink::bold, place, Ink::plain);
  if (!moment.standing.empty()) lines.add(moment.standing, moment.over ? Ink::plain : Ink::warning);
  const std::size_t ended = view.done + view.failed + view.skipped;
  const double share = view.jobs == 0 ? 0 : static_cast<double>(ended) / static_cast<double>(view.jobs);
  std::vector<std::string> parts = {bar(share, bar_columns(lines)) + fmt::format(" {} of {} jobs", ended, view.jobs)};
  for (const auto& [count, what] : {std::pair(view.running, "running"), std::pair(view.waiting, "waiting"),
                                    std::pair(view.failed, "failed"), std::pair(view.skipped, "skipped")}) {
    if (count > 0) parts.push_back(fmt::format("{} {}", count, what));
  }
  if (!moment.over) parts.push_back(fmt::format("{} of {} ranks free", view.free_ranks, view.ranks));
  lines.flow(parts, 0);
  for (const std::string& host : view.drained) lines.add("drained: " + host, Ink::warning);
  for (const std::string& rank : view.lost_ranks) lines.add("lost: " + rank, Ink::bad);
}

std::string done_text(const QueueRow& row, std::size_t columns) {
  return fmt::format("{} {:3.0f} %", bar(row.fraction, columns), 100 * row.fraction);
}

std::string left_text(const QueueRow& row) {
  return row.left_ns > 0 ? fmt::format("about {} left", results::duration_text(static_cast<double>(row.left_ns))) : "";
}

std::string figure_text(const char* name, const std::vector<double>& points, std::size_t width) {
  if (points.empty()) return "";
  const std::string last = results::figures_text(points.back(), 4);
  const std::size_t taken = std::string_view(name).size() + last.size() + 4;
  return fmt::format(
      "{} {} {}", name, last,
      results::sparkline(points, std::clamp<std::size_t>(width > taken ? width - taken : 1, 1, kSparkColumns)));
}

void add_running(const QueueRow& row, Lines& lines) {
  std::string where = fmt::format("  {} {}", row.ranks, row.ranks == 1 ? "rank" : "ranks");
  if (!row.hosts.empty()) where += " on " + row.hosts;
  if (row.attempt > 1) where += fmt::format(", attempt {}", row.attempt);
  lines.add(row.id, Ink::bold, where, Ink::plain);
  const bool told = !row.text.empty() || row.fraction > 0;
  std::vector<std::string> parts;
  if (told) parts.push_back(done_text(row, bar_columns(lines)));
  if (row.running_ns > 0) parts.push_back(clock_text(row.running_ns));
  parts.push_back(left_text(row));
  std::erase(parts, "");
  lines.flow(parts, 2);
  std::vector<std::string> figures = {figure_text("loss", row.losses, lines.width()),
                                      figure_text("samples/s", row.rates, lines.width())};
  std::erase(figures, "");
  lines.flow(figures, 2, Ink::good);
  const std::string doing = row.state == "running" ? row.text : fmt::format("{}: {}", row.state, row.text);
  if (!doing.empty()) lines.add("  " + doing, Ink::faint);
}

void add_running_shortly(const QueueRow& row, Lines& lines) {
  const std::string left = left_text(row);
  lines.add(row.id, Ink::bold, "  " + done_text(row, 6) + (left.empty() ? "" : ", " + left), Ink::plain);
}

// `rows` lines and a title.
void add_waiting(const std::vector<const QueueRow*>& waiting, std::size_t count, std::size_t rows, Lines& lines) {
  lines.add("waiting", Ink::faint);
  const bool all = count <= rows;
  const std::size_t shown = std::min(waiting.size(), all ? rows : rows - 1);
  std::size_t widest = 0;
  for (std::size_t i = 0; i < shown; ++i) widest = std::max(widest, results::width_of(waiting[i]->id));
  widest = std::min(widest, lines.width() / 2);
  for (std::size_t i = 0; i < shown; ++i) {
    const std::size_t own = results::width_of(waiting[i]->id);
    lines.add("  " + waiting[i]->id + std::string(widest > own ? widest - own : 0, ' ') +
              (waiting[i]->text.empty() ? "" : "  " + waiting[i]->text));
  }
  if (count > shown) lines.add(fmt::format("  … and {} more", count - shown));
}

Ink ink_of(results::Status status) {
  return status == results::Status::done ? Ink::good : status == results::Status::failed ? Ink::bad : Ink::warning;
}

// The latest first.
void add_ended(const std::vector<EndedJob>& ended, std::size_t rows, Lines& lines) {
  lines.add("ended, the latest first", Ink::faint);
  const std::size_t shown = ended.size() <= rows ? ended.size() : rows - 1;
  for (std::size_t i = 0; i < shown; ++i) {
    const EndedJob& job = ended[ended.size() - 1 - i];
    lines.add("  " + job.id, Ink::plain, "  " + job.outcome, ink_of(job.status));
  }
  if (ended.size() > shown) lines.add(fmt::format("  … and {} before", ended.size() - shown));
}

}  // namespace

std::string top_frame(const BatchMoment& moment, const Look& look, std::size_t rows) {
  constexpr std::size_t kLeastBelow = 6;  // rows that waiting and ended jobs keep
  Lines frame(look), details(look), short_ones(look);
  add_whole(moment, frame);
  std::vector<const QueueRow*> waiting;
  for (const QueueRow& row : moment.view.rows) {
    if (row.state == "waiting") {
      waiting.push_back(&row);
      continue;
    }
    add_running(row, details);
    add_running_shortly(row, short_ones);
  }
  frame.append(frame.size() + details.size() + kLeastBelow <= rows ? details : short_ones);
  const std::size_t left = rows > frame.size() + 2 ? rows - frame.size() - 2 : 0;  // without their titles
  const std::size_t ended =
      std::min(moment.ended.size(), std::max(left / 2, left - std::min(left, moment.view.waiting)));
  const std::size_t waits = std::min(moment.view.waiting, left - std::min(left, ended));
  if (waits > 0) add_waiting(waiting, moment.view.waiting, waits, frame);
  if (ended > 0) add_ended(moment.ended, ended, frame);
  return frame.text(rows);
}

}  // namespace edgelab::app
