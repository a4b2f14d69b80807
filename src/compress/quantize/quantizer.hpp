#pragma once

#include <string>
#include <vector>

#include "compress/quantize/observer.hpp"
#include "compress/quantize/ranges.hpp"
#include "graph/quantization.hpp"

namespace edgelab::compress {

struct QuantizerSettings {
  RangeSettings ranges;
  int weight_bits = 8;  // of 4: but for depthwise convolutions, what reads the images, and the classifier, which have few weights
  bool per_channel = true;
  bool attention = true;           // its two products in integers too
  std::vector<std::string> keep{};  // layers and attentions left in floating point
  // What the rounding of a weight does to the mean of each output, by the means of its inputs that calibration saw, is taken off the
  // bias (M. Nagel et al., ICCV 2019).
  bool correct_bias = false;
};

// Chooses grids for everything in observer.graph() that integers can do, and puts its weights, which lie in memory of their own,
// onto them. A value that several layers read has one grid. Throws Error (usage) for a name in `keep` that is no layer's.
graph::Quantization quantized(const Observer& observer, const QuantizerSettings& settings);

}  // namespace edgelab::compress
