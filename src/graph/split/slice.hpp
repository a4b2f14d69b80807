#pragma once

#include <vector>

#include "core/tensor.hpp"
#include "kernels/message/exchange.hpp"

namespace edgelab::graph {

// Rows (axis 0) or columns (axis 1) `ranges` of a weight, one after the other, in memory of their own.
Tensor slice(const Tensor& weight, int axis, const std::vector<kernels::Range>& ranges);
// The other way: `part` to where it was cut out of `weight`, which is written.
void paste(const Tensor& part, int axis, const std::vector<kernels::Range>& ranges, Tensor weight);

}  // namespace edgelab::graph
