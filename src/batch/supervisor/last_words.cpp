#include "batch/supervisor/last_words.hpp"

#include <algorithm>

namespace edgelab::batch {
namespace {

bool is_display(std::string_view line) {
  if (line.starts_with("\r")) return true;
  const std::size_t end = line.find(" s] ");
  return line.starts_with('[') && end != std::string_view::npos &&
         std::all_of(line.begin() + 1, line.begin() + static_cast<std::ptrdiff_t>(end), [](char c) { return c == ' ' || c == '.' || (c >= '0' && c <= '9'); });
}

}  // namespace

void LastWords::add(std::string_view bytes) {
  for (const char c : bytes) {
    if (c == '\n') {
      end_line();
    } else if (line_.size() < kLongestLine) {
      line_ += c;
    }
  }
}

void LastWords::end_line() {
  if (!line_.empty() && !is_display(line_)) lines_.push_back(line_);
  if (lines_.size() > kMostLines) lines_.pop_front();
  line_.clear();
}

std::vector<std::string> LastWords::lines() const {
  LastWords whole = *this;
  whole.end_line();
  return {whole.lines_.begin(), whole.lines_.end()};
}

}  // namespace edgelab::batch
