#include "data/resize.hpp"

#include <algorithm>
#include <cmath>

namespace edgelab::data {
namespace {

double filter(double x, Interpolation interpolation) {
  x = std::abs(x);
  if (interpolation == Interpolation::bilinear) return x < 1.0 ? 1.0 - x : 0.0;
  constexpr double a = -0.5;
  if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0;
  if (x < 2.0) return (((x - 5.0) * x + 8.0) * x - 4.0) * a;
  return 0.0;
}

// The non-zero weights of one output pixel.
struct Window {
  int first;
  std::vector<double> weights;
};

Window window_of(double centre, double support, double widening, int input, Interpolation interpolation) {
  Window window{std::max(static_cast<int>(centre - support + 0.5), 0), {}};
  const int end = std::min(static_cast<int>(centre + support + 0.5), input);
  double sum = 0.0;
  for (int i = window.first; i < end; ++i) {
    window.weights.push_back(filter((i - centre + 0.5) / widening, interpolation));
    sum += window.weights.back();
  }
  for (double& weight : window.weights) weight /= sum;
  while (window.weights.back() == 0.0) window.weights.pop_back();
  while (window.weights.front() == 0.0) {
    window.weights.erase(window.weights.begin());
    ++window.first;
  }
  return window;
}

}  // namespace

ResizeAxis make_resize_axis(int input, int output, Interpolation interpolation) {
  const double scale = static_cast<double>(input) / output;
  const double widening = std::max(scale, 1.0);
  const double support = (interpolation == Interpolation::bilinear ? 1.0 : 2.0) * widening;

  std::vector<Window> windows;
  ResizeAxis axis{input, output, 1, {}, {}};
  for (int o = 0; o < output; ++o) {
    windows.push_back(window_of(scale * (o + 0.5), support, widening, input, interpolation));
    axis.taps = std::max(axis.taps, static_cast<int>(windows.back().weights.size()));
  }
  for (const Window& window : windows) {
    // A short window at the far edge moves back until all taps are inside; zeros fill up before and after it.
    const int first = std::min(window.first, input - axis.taps);
    axis.first.push_back(first);
    const std::size_t begin = axis.weights.size();
    axis.weights.resize(begin + static_cast<std::size_t>(axis.taps), 0.0f);
    for (std::size_t t = 0; t < window.weights.size(); ++t) {
      axis.weights[begin + static_cast<std::size_t>(window.first - first) + t] = static_cast<float>(window.weights[t]);
    }
  }
  return axis;
}

}  // namespace edgelab::data
