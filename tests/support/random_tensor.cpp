#include "support/random_tensor.hpp"

#include <algorithm>
#include <cmath>

namespace edgelab::test {

double relative_difference(const Tensor& a, const Tensor& b) {
  const auto x = a.as<float>();
  const auto y = b.as<float>();
  if (x.size() != y.size() || x.empty()) return INFINITY;
  double mean = 0.0, variance = 0.0, largest = 0.0;
  for (const float value : y) mean += static_cast<double>(value) / static_cast<double>(y.size());
  for (std::size_t i = 0; i < y.size(); ++i) {
    if (!std::isfinite(x[i])) return INFINITY;
    variance += (static_cast<double>(y[i]) - mean) * (static_cast<double>(y[i]) - mean) / static_cast<double>(y.size());
    largest = std::max(largest, std::fabs(static_cast<double>(x[i]) - static_cast<double>(y[i])));
  }
  return largest / std::max(std::sqrt(variance), 1e-30);
}

}  // namespace edgelab::test
