#pragma once

#include <vector>

namespace edgelab::results::report {

// From values to places on an axis.
class Scale {
 public:
  // The range is widened to round ticks. Values need not be in order; those that are not finite, and on a logarithmic scale
  // those that are not positive, don't count. Without any the scale is 0 to 1, or 1 to 10.
  static Scale linear(const std::vector<double>& values, bool from_zero);
  static Scale logarithmic(const std::vector<double>& values);

  double at(double value) const;                               // 0 at the low end, 1 at the high one; clamped
  const std::vector<double>& ticks() const { return ticks_; }  // about five, ascending

 private:
  double low_ = 0, high_ = 1;
  bool logarithmic_ = false;
  std::vector<double> ticks_;
};

}  // namespace edgelab::results::report
