#include "kernels/quantized_linear/integer_tables.hpp"

#include <algorithm>
#include <cmath>

namespace edgelab::kernels {

IntegerTables integer_tables(const U8Grid& x, const Tensor& weight_scale, const Tensor& bias, const std::vector<float>& y_scales) {
  constexpr double kLargest = 1 << 30;  // leaves as much again for the products
  const auto scales = weight_scale.as<float>();
  IntegerTables tables;
  for (std::size_t o = 0; o < scales.size(); ++o) {
    const double step = static_cast<double>(x.scale) * static_cast<double>(scales[o]);
    const double units = bias.defined() ? std::nearbyint(static_cast<double>(bias.as<float>()[o]) / step) : 0.0;
    tables.bias.push_back(static_cast<std::int32_t>(std::clamp(units, -kLargest, kLargest)));
    tables.factor.push_back(static_cast<float>(step / static_cast<double>(y_scales[o * y_scales.size() / scales.size()])));
  }
  return tables;
}

std::vector<std::int32_t> row_sums(const Tensor& weight) {
  const auto numbers = weight.as<std::int8_t>();
  const auto rows = static_cast<std::size_t>(weight.shape()[0]), width = numbers.size() / rows;
  std::vector<std::int32_t> sums(rows, 0);
  for (std::size_t i = 0; i < numbers.size(); ++i) sums[i / width] += numbers[i];
  return sums;
}

}  // namespace edgelab::kernels
