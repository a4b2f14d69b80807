#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compress/prune/importance.hpp"

namespace edgelab::compress {

// Which weights become zero together.
struct ZeroPattern {
  std::int64_t block = 1;  // outputs that share a zero for one input: 1, 4 or 16
  // N:M, of each m consecutive inputs of an output n stay (Mishra et al., "Accelerating Sparse Deep Neural Networks", 2021); 0: not so.
  std::int64_t n = 0, m = 0;
};

struct MaskSettings {
  ZeroPattern pattern;
  double sparsity = 0.0;   // share of the weights judged that become zero; of N:M n and m say it
  bool per_layer = false;  // the same share of each layer, or the least important of all
};

// A weight's elements that stay: 1, or 0.
struct Mask {
  std::string weight;
  std::vector<std::uint8_t> keep;
};

// A weight and what its elements are worth, as importance() gives it.
struct Judged {
  std::string weight;
  Shape shape;  // [outputs, inputs, …]
  std::vector<float> worth;
};

// Blocks are judged by the mean of their elements. Where all layers are judged together, each layer's worth is first divided by
// its mean: layers differ in scale by what their normalisations undo. Of equal ones the first go, so that all ranks agree.
std::vector<Mask> masks(const std::vector<Judged>& weights, const MaskSettings& settings);

// The elements that are not zero now.
Mask nonzero(const std::string& weight, const Tensor& values);

// Sets what the mask leaves out to zero.
void apply(const Mask& mask, std::span<float> values);

// Zhu and Gupta, "To prune, or not to prune", 2017: the share of zeros after `done` (0 to 1) of the way to `target`.
double cubic_sparsity(double target, double done);

}  // namespace edgelab::compress
