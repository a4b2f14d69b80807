#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "search/parzen.hpp"

namespace edgelab::search {

struct LoggedTrial {
  std::int64_t number = 0;  // from 0
  std::vector<double> point;
  double top1 = 0.0, loss = 0.0;  // NaN: it failed
  std::int64_t bytes = 0, duration_ns = 0;
};

// The trials of a search on disk, a line each behind a line that says which search it is. A line counts once it is whole; what a kill
// left of the last one is dropped.
class TrialLog {
 public:
  // Opens, or begins, the log in `folder`; a log of another search (`identity`, one line) is begun anew. Throws Error (environment).
  TrialLog(const std::filesystem::path& folder, const std::string& identity);

  const std::vector<LoggedTrial>& trials() const { return trials_; }
  bool finished() const { return finished_; }
  // On disk when they return.
  void add(const LoggedTrial& trial);
  void finish();  // no trial comes after this

 private:
  void write() const;

  std::filesystem::path path_;
  std::string identity_;
  std::vector<LoggedTrial> trials_;
  bool finished_ = false;
};

}  // namespace edgelab::search
