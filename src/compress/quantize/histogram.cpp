#include "compress/quantize/histogram.hpp"

#include <algorithm>
#include <cmath>

namespace edgelab::compress {

void Histogram::reach(double magnitude) {
  while (limit_ <= magnitude) {
    std::vector<std::int64_t> wider(kBins);
    for (int bin = 0; bin < kBins; ++bin) wider[static_cast<std::size_t>(kBins / 4 + bin / 2)] += bins_[static_cast<std::size_t>(bin)];
    bins_ = std::move(wider);
    limit_ *= 2;
  }
}

void Histogram::add(std::span<const float> numbers) {
  float low = HUGE_VALF, high = -HUGE_VALF;
  for (const float number : numbers) {
    if (!std::isfinite(number)) continue;
    low = std::min(low, number), high = std::max(high, number);
  }
  if (low <= high) {
    low_ = count_ == 0 ? low : std::min(low_, low);
    high_ = count_ == 0 ? high : std::max(high_, high);
    reach(static_cast<double>(std::max(std::abs(low), std::abs(high))));
  }
  const auto per_width = static_cast<float>(1.0 / width()), limit = static_cast<float>(limit_);
  for (const float number : numbers) {
    if (!std::isfinite(number)) {
      ++not_finite_;
      continue;
    }
    ++bins_[static_cast<std::size_t>(std::min(static_cast<int>((number + limit) * per_width), kBins - 1))];
    ++count_;
  }
}

void Histogram::add(const Histogram& other) {
  not_finite_ += other.not_finite_;
  if (other.count_ == 0) return;
  Histogram same = other;
  reach(same.limit_ / 2);
  same.reach(limit_ / 2);
  for (std::size_t bin = 0; bin < bins_.size(); ++bin) bins_[bin] += same.bins_[bin];
  low_ = count_ == 0 ? same.low_ : std::min(low_, same.low_);
  high_ = count_ == 0 ? same.high_ : std::max(high_, same.high_);
  count_ += same.count_;
}

double Histogram::quantile(double p) const {
  const double wanted = p * static_cast<double>(count_);
  double below = 0.0;
  for (int bin = 0; bin < kBins; ++bin) {
    const auto here = static_cast<double>(bins_[static_cast<std::size_t>(bin)]);
    if (here > 0 && below + here >= wanted) {
      const double at = -limit_ + (bin + std::max(0.0, wanted - below) / here) * width();
      return std::clamp(at, static_cast<double>(low_), static_cast<double>(high_));
    }
    below += here;
  }
  return static_cast<double>(high_);
}

std::vector<double> Histogram::packed() const {
  std::vector<double> numbers = {limit_, static_cast<double>(low_), static_cast<double>(high_), static_cast<double>(count_), static_cast<double>(not_finite_)};
  for (const std::int64_t count : bins_) numbers.push_back(static_cast<double>(count));
  return numbers;
}

Histogram Histogram::unpacked(std::span<const double> numbers) {
  Histogram histogram;
  histogram.limit_ = numbers[0];
  histogram.low_ = static_cast<float>(numbers[1]), histogram.high_ = static_cast<float>(numbers[2]);
  histogram.count_ = static_cast<std::int64_t>(numbers[3]), histogram.not_finite_ = static_cast<std::int64_t>(numbers[4]);
  for (std::size_t bin = 0; bin < histogram.bins_.size(); ++bin) histogram.bins_[bin] = static_cast<std::int64_t>(numbers[5 + bin]);
  return histogram;
}

}  // namespace edgelab::compress
