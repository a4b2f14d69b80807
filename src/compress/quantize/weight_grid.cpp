#include "compress/quantize/weight_grid.hpp"

#include <algorithm>
#include <cmath>
#include <span>

namespace edgelab::compress {
namespace {

constexpr int kTried = 60;  // scales of 4 bits, from the largest magnitude's down to a third of it

float on_grid(float number, float scale, float most) { return std::clamp(std::nearbyint(number / scale), -most, most) * scale; }

double squared_error(std::span<const float> numbers, float scale, float most) {
  double sum = 0.0;
  for (const float number : numbers) {
    const double error = static_cast<double>(on_grid(number, scale, most) - number);
    sum += error * error;
  }
  return sum;
}

float scale_of(std::span<const float> numbers, int bits) {
  const auto most = static_cast<float>(largest_number(bits));
  float largest = 0.0f;
  for (const float number : numbers) largest = std::max(largest, std::abs(number));
  if (largest < 1e-30f) return 1.0f;
  if (bits == 8) return largest / most;
  float best = largest / most;
  double least = squared_error(numbers, best, most);
  for (int i = 1; i < kTried; ++i) {
    const float scale = largest / most * (1.0f - static_cast<float>(i) * 2.0f / (3.0f * kTried));
    const double error = squared_error(numbers, scale, most);
    if (error < least) least = error, best = scale;
  }
  return best;
}

}  // namespace

std::vector<float> weight_scales(const Tensor& weight, int bits, bool per_channel) {
  const auto numbers = weight.as<float>();
  const std::size_t channels = per_channel ? static_cast<std::size_t>(weight.shape()[0]) : 1, each = numbers.size() / channels;
  std::vector<float> scales;
  for (std::size_t o = 0; o < channels; ++o) scales.push_back(scale_of(numbers.subspan(o * each, each), bits));
  return scales;
}

void put_on_grid(Tensor& weight, const std::vector<float>& scales, int bits) {
  const auto numbers = weight.as<float>();
  const std::size_t each = numbers.size() / scales.size();
  const auto most = static_cast<float>(largest_number(bits));
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = on_grid(numbers[i], scales[i / each], most);
}

}  // namespace edgelab::compress
