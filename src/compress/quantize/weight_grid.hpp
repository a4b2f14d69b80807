#pragma once

#include <vector>

#include "core/tensor.hpp"

namespace edgelab::compress {

// The scales of a weight [outputs, …] on numbers of 8 bits, the largest magnitude at the end of the grid; or of 4, where that would
// leave too few steps for the others: at the least squared error instead. One for all, or one an output channel. Never 0.
std::vector<float> weight_scales(const Tensor& weight, int bits, bool per_channel);

// The nearest numbers of the grid, in place.
void put_on_grid(Tensor& weight, const std::vector<float>& scales, int bits);

constexpr int largest_number(int bits) { return bits == 4 ? 7 : 127; }

}  // namespace edgelab::compress
