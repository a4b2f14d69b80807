#pragma once

#include <cstdint>

#include "compress/quantize/histogram.hpp"
#include "graph/quantization.hpp"

namespace edgelab::compress {

// How the range of an activation is chosen from what calibration saw of it.
enum class RangeMethod : std::uint8_t {
  minmax,      // all of it
  percentile,  // but the numbers farthest out
  mse,         // with the least squared error of rounding and cutting together
  kl,          // with the least divergence of the distributions before and after (S. Migacz, "8-bit inference with TensorRT", 2017)
};

struct RangeSettings {
  RangeMethod method = RangeMethod::minmax;
  double percentile = 99.99;  // of the numbers, in the middle
  // Symmetric: zero in the middle of the grid, or at its end where no number is negative. Else the grid lies as the numbers do.
  bool symmetric = true;
};

// The grid over [low, high], zero included.
graph::Grid grid_over(double low, double high, bool symmetric);

graph::Grid chosen_grid(const Histogram& histogram, const RangeSettings& settings);

}  // namespace edgelab::compress
