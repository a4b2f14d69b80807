#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "batch/supervisor/rank_end.hpp"

namespace edgelab::batch {

// Reads what comes from mpirun's stderr, as it comes: the ranks' output, the guards' reports, and mpirun's own paragraphs,
// which it frames by two lines of dashes. The ranks' output is passed on at once, unfinished lines too, since a progress
// bar is one. Reports are taken out. Paragraphs are kept: after a crash that a guard has told of they say the same in
// fifteen lines, and else they are all there is.
class OutputFilter {
 public:
  explicit OutputFilter(std::string_view mark);

  // What of all that has come can be passed on now.
  std::string take(std::string_view bytes);
  // Nothing more will come: what was held back in the hope of more.
  std::string finish();

  const std::vector<RankEnd>& ends() const { return ends_; }  // in the order in which they came
  const std::string& paragraphs() const { return paragraphs_; }

 private:
  void take_line(std::string_view line, std::string& passed);
  void pass_beginning(std::string& passed);
  bool is_frame(std::string_view line) const;

  std::string marker_;   // "edgelab-guard MARK "
  std::string pending_;  // the beginning of a line, not passed on yet
  bool mid_line_ = false;
  bool framed_ = false;
  std::string paragraph_, paragraphs_;
  std::vector<RankEnd> ends_;
};

}  // namespace edgelab::batch
