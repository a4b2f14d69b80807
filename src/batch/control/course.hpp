#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tasks/progress_report.hpp"

namespace edgelab::batch {

// A figure over time in a bounded number of points, the oldest first. Each point is the mean of equally many values; when
// there are too many points, neighbours are put together.
class Trace {
 public:
  static constexpr std::size_t kMostPoints = 128;

  void add(double value);  // one that is not finite is left out
  const std::vector<double>& points() const { return points_; }

 private:
  std::vector<double> points_;
  double sum_ = 0;                     // of the values that make no whole point yet
  std::int64_t count_ = 0, each_ = 1;  // of these values; in a point
};

// What an attempt has told of its progress.
class Course {
 public:
  void note(const tasks::ProgressReport& report, std::int64_t now_ns);

  double fraction() const { return last_.fraction; }
  const std::string& text() const { return last_.text; }
  const Trace& losses() const { return losses_; }
  const Trace& rates() const { return rates_; }
  // About how long it will take from now on: what the task says, else from how fast the fraction has grown since it last
  // began anew. 0: can't be told.
  std::int64_t left_ns(std::int64_t now_ns) const;

 private:
  tasks::ProgressReport last_;
  Trace losses_, rates_;
  std::int64_t noted_ns_ = 0;  // the last report; 0: none
  std::int64_t began_ns_ = 0;  // the stretch in which the fraction has only grown, from
  double began_fraction_ = 0;
};

}  // namespace edgelab::batch
