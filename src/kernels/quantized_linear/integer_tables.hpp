#pragma once

#include <cstdint>
#include <vector>

#include "core/tensor.hpp"
#include "kernels/u8_grid.hpp"

namespace edgelab::kernels {

// What stands between the sums of a quantized layer and its results, for each output channel o:
//   sum = Σ_k (x − x.zero_point) · w[o, k] + bias[o];   y = f32(sum) · factor[o]   on y's grid (scale 1 where y is f32)
struct IntegerTables {
  std::vector<std::int32_t> bias;
  std::vector<float> factor;
};

// `bias`: f32 [N], or undefined; `weight_scale`: f32 [N]. `y_scales`: one for each equal part of N. The factors are rounded once.
IntegerTables integer_tables(const U8Grid& x, const Tensor& weight_scale, const Tensor& bias, const std::vector<float>& y_scales);

// Σ_k w[o, k] of an s8 weight [N, …].
std::vector<std::int32_t> row_sums(const Tensor& weight);

}  // namespace edgelab::kernels
