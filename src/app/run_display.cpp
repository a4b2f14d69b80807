#include "app/run_display.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "core/clock.hpp"
#include "results/shown_scenarios.hpp"
#include "results/text/table.hpp"
#include "results/text/units.hpp"

namespace edgelab::app {
namespace {

constexpr std::int64_t kRedrawNs = 100'000'000;
constexpr std::int64_t kProgressLineNs = 30'000'000'000;  // in a log: enough to see that a long job lives
constexpr int kBarWidth = 12;

std::size_t terminal_width() {
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 10) return size.ws_col;
  return 80;
}

std::string bar(double fraction) {
  const int full = static_cast<int>(std::clamp(fraction, 0.0, 1.0) * kBarWidth + 0.5);
  return std::string(static_cast<std::size_t>(full), '#') + std::string(static_cast<std::size_t>(kBarWidth - full), '.');
}

std::string ranks_text(const std::vector<int>& ranks) {
  if (ranks.size() == 1) return fmt::format("rank {}", ranks[0]);
  std::string text = "ranks";
  for (std::size_t i = 0; i < ranks.size(); ++i) text += fmt::format("{} {}", i == 0 ? "" : ",", ranks[i]);
  return text;
}

}  // namespace

DisplayMode wanted_display() {
  const char* wanted = std::getenv("EDGELAB_PROGRESS");
  if (wanted != nullptr && std::string_view(wanted) == "bar") return DisplayMode::bar;
  if (wanted != nullptr && std::string_view(wanted) == "lines") return DisplayMode::lines;
  return isatty(STDERR_FILENO) != 0 ? DisplayMode::bar : DisplayMode::lines;
}

std::string outcome_text(const results::JobRecord& record) {
  switch (record.status) {
    case results::Status::failed: return results::safe_for_terminal("failed: " + record.reason);
    case results::Status::skipped: return results::safe_for_terminal("skipped: " + record.reason);
    case results::Status::interrupted: return "interrupted";
    case results::Status::done: break;
  }
  std::string text = "done";
  if (record.summary.top1) text += fmt::format(", top1 {:.4f}", *record.summary.top1);
  if (!record.scenario.kind.empty()) {
    text += ", " + results::scenario_outcome_text(record);
    if (record.summary.invalid_reason) text += ": " + *record.summary.invalid_reason;
  } else {
    if (record.summary.latency_p50_ns) text += ", p50 " + results::duration_text(static_cast<double>(*record.summary.latency_p50_ns));
    if (record.summary.throttling) text += ", slowed down: " + *record.summary.throttling;
  }
  const auto unjudged = std::count_if(record.expectations.begin(), record.expectations.end(), [](const auto& row) { return !row.note.empty(); });
  if (unjudged > 0) text += fmt::format(", {} {} not judged", unjudged, unjudged == 1 ? "expectation" : "expectations");
  return results::safe_for_terminal(text);
}

RunDisplay::RunDisplay(std::size_t jobs, DisplayMode mode) : mode_(mode), jobs_(jobs), start_ns_(now_ns()) {}

void RunDisplay::say(const std::string& text) {
  clear_bar();
  fmt::print(stderr, "[{:6.1f} s] {}\n", static_cast<double>(now_ns() - start_ns_) / 1e9, text);
  std::fflush(stderr);
}

void RunDisplay::started(const std::string& job, int attempt, const std::vector<int>& ranks) {
  running_[job] = {0, "", now_ns()};
  changed_ = true;
  say(fmt::format("{}: {} on {}", job, attempt == 1 ? "started" : fmt::format("attempt {}", attempt), ranks_text(ranks)));
}

void RunDisplay::progress(const std::string& job, double fraction, const std::string& text) {
  Running& running = running_[job];
  running.fraction = fraction;
  running.text = results::safe_for_terminal(text);
  changed_ = true;
  const std::int64_t now = now_ns();
  if (mode_ == DisplayMode::bar || now - running.last_line_ns < kProgressLineNs) return;
  running.last_line_ns = now;
  say(fmt::format("{}: {:.0f} %{}{}", job, 100 * fraction, running.text.empty() ? "" : ", ", running.text));
}

void RunDisplay::will_retry(const std::string& job, const std::string& reason) {
  running_.erase(job);
  say(fmt::format("{}: failed, will be tried again: {}", job, results::safe_for_terminal(reason)));
}

void RunDisplay::ended(const results::JobRecord& record) {
  running_.erase(record.id);
  ++finished_;
  changed_ = true;
  say(fmt::format("{}: {}", record.id, outcome_text(record)));
}

void RunDisplay::taken_over(const results::JobRecord& record) {
  ++finished_;
  say(fmt::format("{}: {} in an earlier run", record.id, record.status == results::Status::done ? "done" : "ended"));
}

std::string RunDisplay::bar_line() const {
  std::string line = fmt::format("{} of {} jobs", finished_, jobs_);
  for (const auto& [job, running] : running_) {
    line += fmt::format(" | {} [{}] {:.0f} %", job, bar(running.fraction), 100 * running.fraction);
    if (running_.size() == 1 && !running.text.empty()) line += " " + running.text;
  }
  const std::size_t width = terminal_width() - 1;
  return line.size() <= width ? line : line.substr(0, width);
}

void RunDisplay::turn() {
  if (mode_ != DisplayMode::bar || !changed_ || now_ns() - drawn_ns_ < kRedrawNs) return;
  drawn_ns_ = now_ns();
  changed_ = false;
  bar_shown_ = true;
  fmt::print(stderr, "\r\033[K{}", bar_line());
  std::fflush(stderr);
}

void RunDisplay::clear_bar() {
  if (!bar_shown_) return;
  fmt::print(stderr, "\r\033[K");
  std::fflush(stderr);
  bar_shown_ = false;
  changed_ = true;
}

}  // namespace edgelab::app
