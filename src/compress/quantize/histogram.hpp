#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace edgelab::compress {

// How often numbers of each size occurred. The bins cover −limit to limit evenly; limit is a power of two that doubles when a number
// needs it, so that the histograms of ranks and batches add up without loss.
class Histogram {
 public:
  static constexpr int kBins = 4096;

  void add(std::span<const float> numbers);
  void add(const Histogram& other);

  bool empty() const { return count_ == 0; }
  std::int64_t count() const { return count_; }
  // Numbers that were infinite or not numbers; they are in no bin.
  std::int64_t not_finite() const { return not_finite_; }
  float low() const { return low_; }    // the least; 0 if there was none
  float high() const { return high_; }  // the largest
  double limit() const { return limit_; }
  double width() const { return 2.0 * limit_ / kBins; }
  double middle(int bin) const { return -limit_ + (bin + 0.5) * width(); }
  std::span<const std::int64_t> bins() const { return bins_; }

  // The number that the share p of all numbers don't exceed, to the width of a bin.
  double quantile(double p) const;

  // As plain numbers, to be sent to another rank and back.
  std::vector<double> packed() const;
  static Histogram unpacked(std::span<const double> numbers);

 private:
  void reach(double magnitude);

  std::vector<std::int64_t> bins_ = std::vector<std::int64_t>(kBins);
  double limit_ = 0x1p-20;
  float low_ = 0.0f, high_ = 0.0f;
  std::int64_t count_ = 0, not_finite_ = 0;
};

}  // namespace edgelab::compress
