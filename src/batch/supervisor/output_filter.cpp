#include "batch/supervisor/output_filter.hpp"

#include <algorithm>
#include <utility>

namespace edgelab::batch {
namespace {

constexpr std::size_t kFrameDashes = 70;               // Open MPI 4 and 5 write 74 and 75
constexpr std::size_t kLongestParagraph = 64 * 1024;  // longer: no paragraph

// How long the end of `text` is that may become `marker`.
std::size_t begun_marker(std::string_view text, std::string_view marker) {
  for (std::size_t length = std::min(text.size(), marker.size() - 1); length > 0; --length) {
    if (text.substr(text.size() - length) == marker.substr(0, length)) return length;
  }
  return 0;
}

bool all_dashes(std::string_view text) { return text.find_first_not_of('-') == std::string_view::npos; }

}  // namespace

OutputFilter::OutputFilter(std::string_view mark) : marker_(std::string(kReportWord) + " " + std::string(mark) + " ") {}

std::string OutputFilter::take(std::string_view bytes) {
  std::string passed;
  pending_ += bytes;
  std::size_t begin = 0;
  for (std::size_t end; (end = pending_.find('\n', begin)) != std::string::npos; begin = end + 1) {
    take_line(std::string_view(pending_).substr(begin, end + 1 - begin), passed);
  }
  pending_.erase(0, begin);
  pass_beginning(passed);
  return passed;
}

bool OutputFilter::is_frame(std::string_view line) const {
  if (mid_line_ || line.size() < kFrameDashes) return false;
  return all_dashes(line.substr(0, line.size() - 1));
}

void OutputFilter::take_line(std::string_view line, std::string& passed) {
  const std::size_t at = line.find(marker_);
  if (at != std::string_view::npos) {
    if (std::optional<RankEnd> end = read_report(line.substr(at + marker_.size()))) {
      ends_.push_back(std::move(*end));
      mid_line_ = mid_line_ || at > 0;  // another rank's unfinished line, which goes on
      passed += line.substr(0, at);
      return;
    }
  }
  const bool frame = is_frame(line);
  if (framed_ || frame) {
    paragraph_ += line;
    if (frame) framed_ = !framed_;
    if (!framed_) paragraphs_ += std::exchange(paragraph_, {});
  } else {
    passed += line;
  }
  if (paragraph_.size() > kLongestParagraph) {
    passed += std::exchange(paragraph_, {});
    framed_ = false;
  }
  mid_line_ = false;
}

void OutputFilter::pass_beginning(std::string& passed) {
  if (framed_ || pending_.find(marker_) != std::string::npos) return;
  if (!mid_line_ && all_dashes(pending_)) return;
  const std::size_t sure = pending_.size() - begun_marker(pending_, marker_);
  passed += pending_.substr(0, sure);
  pending_.erase(0, sure);
  mid_line_ = mid_line_ || sure > 0;
}

std::string OutputFilter::finish() {
  framed_ = mid_line_ = false;
  return std::exchange(paragraph_, {}) + std::exchange(pending_, {});
}

}  // namespace edgelab::batch
