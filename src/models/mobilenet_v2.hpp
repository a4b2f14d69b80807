#pragma once

#include <cstdint>

#include "graph/graph.hpp"

namespace edgelab::models {

struct MobileNetV2Settings {
  int classes = 1000;
  int input_size = 224;     // pixels, any from 1
  double width_mult = 1.0;  // channels are rounded to multiples of 8, losing at most a tenth
};

// MobileNetV2 (Sandler et al. 2018) as torchvision builds it, by torchvision's names.
graph::Graph mobilenet_v2(const MobileNetV2Settings& settings, std::int64_t batch);

}  // namespace edgelab::models
