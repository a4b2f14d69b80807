#include "batch/control/course.hpp"

#include <algorithm>
#include <cmath>

namespace edgelab::batch {

void Trace::add(double value) {
  if (!std::isfinite(value)) return;
  sum_ += value;
  if (++count_ < each_) return;
  points_.push_back(sum_ / static_cast<double>(count_));
  sum_ = 0;
  count_ = 0;
  if (points_.size() < kMostPoints) return;
  for (std::size_t i = 0; i < points_.size() / 2; ++i) points_[i] = (points_[2 * i] + points_[2 * i + 1]) / 2;
  points_.resize(points_.size() / 2);
  each_ *= 2;
}

void Course::note(const tasks::ProgressReport& report, std::int64_t now_ns) {
  if (noted_ns_ == 0 || report.fraction < last_.fraction) {
    began_ns_ = now_ns;
    began_fraction_ = report.fraction;
  }
  if (report.loss) losses_.add(*report.loss);
  if (report.samples_per_second) rates_.add(*report.samples_per_second);
  last_ = report;
  noted_ns_ = now_ns;
}

std::int64_t Course::left_ns(std::int64_t now_ns) const {
  std::int64_t left = 0;  // as of the last report
  if (last_.left_ns) {
    left = *last_.left_ns;
  } else if (const double grown = last_.fraction - began_fraction_; grown > 0) {
    left = static_cast<std::int64_t>(static_cast<double>(noted_ns_ - began_ns_) * (1 - last_.fraction) / grown);
  }
  return std::max<std::int64_t>(0, left - (now_ns - noted_ns_));
}

}  // namespace edgelab::batch
