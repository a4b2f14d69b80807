#include "results/report/scale.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace edgelab::results::report {
namespace {

constexpr int kMostTicks = 5;

// 1, 2 or 5 times a power of ten, such that at most kMostTicks steps span the range.
double round_step(double range) {
  const double power = std::pow(10, std::floor(std::log10(range / kMostTicks)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (range / (factor * power) <= kMostTicks) return factor * power;
  }
  return 10 * power;
}

}  // namespace

Scale Scale::linear(const std::vector<double>& values, bool from_zero) {
  Scale scale;
  bool any = false;
  for (const double value : values) {
    if (!std::isfinite(value)) continue;
    scale.low_ = any ? std::min(scale.low_, value) : value;
    scale.high_ = any ? std::max(scale.high_, value) : value;
    any = true;
  }
  if (from_zero) scale.low_ = std::min(0.0, scale.low_), scale.high_ = std::max(0.0, scale.high_);
  if (!(scale.high_ > scale.low_)) scale.high_ = scale.low_ + std::max(1.0, std::abs(scale.low_) * 0.1);
  const double step = round_step(scale.high_ - scale.low_);
  const double first = std::floor(scale.low_ / step + 1e-9), last = std::ceil(scale.high_ / step - 1e-9);
  scale.low_ = first * step;
  scale.high_ = last * step;
  for (double k = first; k <= last; k += 1) scale.ticks_.push_back(k * step);
  return scale;
}

Scale Scale::logarithmic(const std::vector<double>& values) {
  Scale scale;
  scale.logarithmic_ = true;
  double low = 0, high = 0;
  for (const double value : values) {
    if (!std::isfinite(value) || value <= 0) continue;
    low = low > 0 ? std::min(low, value) : value;
    high = std::max(high, value);
  }
  if (low == 0) low = 1, high = 10;
  double first = std::floor(std::log10(low) + 1e-9), last = std::ceil(std::log10(high) - 1e-9);
  if (last <= first) last = first + 1;
  scale.low_ = first;
  scale.high_ = last;
  const double step = std::ceil((last - first) / kMostTicks);
  for (double k = first; k <= last; k += step) scale.ticks_.push_back(std::pow(10, k));
  // Within one or two decades the powers of ten alone are too few to read a value off, and too far apart to end at.
  if (last - first <= 2) {
    std::vector<double> more;
    for (const double tick : scale.ticks_) {
      for (const double factor : {1.0, 2.0, 5.0}) {
        if (std::log10(tick * factor) <= last + 1e-9) more.push_back(tick * factor);
      }
    }
    while (more.size() > 2 && more[1] <= low * (1 + 1e-9)) more.erase(more.begin());
    while (more.size() > 2 && more[more.size() - 2] >= high * (1 - 1e-9)) more.pop_back();
    scale.low_ = std::log10(more.front());
    scale.high_ = std::log10(more.back());
    scale.ticks_ = std::move(more);
  }
  return scale;
}

double Scale::at(double value) const {
  const double place = logarithmic_ ? (value > 0 ? std::log10(value) : low_) : value;
  return std::clamp((place - low_) / (high_ - low_), 0.0, 1.0);
}

}  // namespace edgelab::results::report
