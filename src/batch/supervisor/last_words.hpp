#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace edgelab::batch {

// The last lines of a stream. Lines of the progress display ("[  1.2 s] …", redrawn bars) are no words of a job.
class LastWords {
 public:
  static constexpr std::size_t kMostLines = 20, kLongestLine = 200;

  void add(std::string_view bytes);
  std::vector<std::string> lines() const;  // the oldest first; an unfinished last one counts

 private:
  void end_line();

  std::string line_;
  std::deque<std::string> lines_;
};

}  // namespace edgelab::batch
