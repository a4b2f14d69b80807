#include "app/top_command.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <limits>
#include <memory>

#include "app/batch_watch.hpp"
#include "app/live_screen.hpp"
#include "app/terminal_look.hpp"
#include "app/top_frame.hpp"
#include "batch/signals.hpp"

namespace edgelab::app {
namespace {

constexpr std::chrono::seconds kRedraw{1};
constexpr std::size_t kAnyHeight = std::numeric_limits<std::int32_t>::max();

struct Options {
  std::string file, batch;
  bool once = false;
};

std::string frame_for_terminal(const BatchMoment& moment) {
  const TerminalSize size = size_of_stdout();
  results::Look look = look_of_stdout();
  look.width = size.columns;
  return top_frame(moment, look, static_cast<std::size_t>(size.rows));
}

// Returns the last moment that was seen.
BatchMoment follow(BatchWatch& watch) {
  const batch::SignalWatch signals;
  LiveScreen screen;
  while (true) {
    BatchMoment moment = watch.look();
    screen.draw(frame_for_terminal(moment));
    if (moment.over || !screen.wait(kRedraw)) return moment;
  }
}

void show(BatchWatch watch, bool once) {
  const bool terminal = ::isatty(STDOUT_FILENO) != 0;
  if (once || !terminal) {
    fmt::print("{}", top_frame(watch.look(), look_of_stdout(), kAnyHeight));
    return;
  }
  fmt::print("{}", frame_for_terminal(follow(watch)));  // what is left on the screen that comes back
}

}  // namespace

void watch_batch(const std::string& name) { show(BatchWatch::of_running(name), false); }

void add_top_command(CLI::App& root) {
  CLI::App* command = root.add_subcommand("top", "Watch a batch that runs: jobs, progress, figures, time left; q ends");
  const auto options = std::make_shared<Options>();
  command->add_option("RESULTS", options->file,
                      "The file that the batch writes to; not needed where one of yours runs");
  command->add_option("--batch", options->batch, "Name or id of the batch; not needed where one runs")
      ->excludes("RESULTS");
  command->add_flag("--once", options->once, "Print it once, as text, and end");
  command->callback([options] {
    show(options->file.empty() ? BatchWatch::of_running(options->batch) : BatchWatch::of_results(options->file),
         options->once);
  });
}

}  // namespace edgelab::app
