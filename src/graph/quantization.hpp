#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

// What a quantized model has beside its weights. The model itself is a float graph, batch norms and scales folded in, whose
// weights lie on their grids; the pass `quantize` makes the integer graph of the two. So calibration, training, files and search
// handle floats and this record, and only kernels handle integers.
//
// B. Jacob et al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference", CVPR 2018.
namespace edgelab::graph {

// The values of an activation, as u8: real = scale · (q − zero_point). Symmetric ones have zero_point 128.
struct Grid {
  float scale = 1.0F;  // > 0, finite
  std::int32_t zero_point = 0;  // 0 … 255
  bool operator==(const Grid&) const = default;
};

// A convolution or linear layer in integers. Its weights are symmetric: w = scale · q, q in [−127, 127] or, of 4 bits, [−7, 7].
struct LayerQuantization {
  Grid input;
  int weight_bits = 8;              // 8 or 4
  std::vector<float> weight_scale;  // one for all, or one an output channel
  bool operator==(const LayerQuantization&) const = default;
};

// Attention whose two products are computed in integers.
struct AttentionQuantization {
  Grid queries, keys, values;
  bool operator==(const AttentionQuantization&) const = default;
};

// By the layer's name. What is not here stays in floating point. A value that several integer layers read has one grid.
struct Quantization {
  std::map<std::string, LayerQuantization> layers;
  std::map<std::string, AttentionQuantization> attentions;
  bool empty() const { return layers.empty() && attentions.empty(); }
  bool operator==(const Quantization&) const = default;
};

}  // namespace edgelab::graph
