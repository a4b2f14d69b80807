#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "results/job_record.hpp"

namespace edgelab::app {

enum class DisplayMode { bar, lines };

// EDGELAB_PROGRESS=bar|lines, else bar on a terminal. Under mpirun stderr is a pipe even in front of a person.
DisplayMode wanted_display();

// What a person sees of a batch that runs, on stderr: a line for each job that begins or ends, and in bar mode below them
// one line that is redrawn, with a bar for each running job. One thread uses it.
class RunDisplay {
 public:
  RunDisplay(std::size_t jobs, DisplayMode mode);
  ~RunDisplay() { clear_bar(); }
  RunDisplay(const RunDisplay&) = delete;
  RunDisplay& operator=(const RunDisplay&) = delete;

  void started(const std::string& job, int attempt, const std::vector<int>& ranks);
  void progress(const std::string& job, double fraction, const std::string& text);
  void will_retry(const std::string& job, const std::string& reason);
  void ended(const results::JobRecord& record);
  void taken_over(const results::JobRecord& record);
  void say(const std::string& text);  // a line with the time before it
  void turn();                        // redraws the bar if it is time

 private:
  struct Running {
    double fraction = 0;
    std::string text;
    std::int64_t last_line_ns = 0;
  };
  void clear_bar();
  std::string bar_line() const;

  DisplayMode mode_;
  std::size_t jobs_, finished_ = 0;
  std::int64_t start_ns_, drawn_ns_ = 0;
  bool bar_shown_ = false, changed_ = true;
  std::map<std::string, Running> running_;
};

// "done, top1 0.945, p50 6.1 ms" or "failed: REASON"; safe to print on a terminal.
std::string outcome_text(const results::JobRecord& record);

}  // namespace edgelab::app
