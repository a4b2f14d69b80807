#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/layer_norm_backward/layer_norm_backward.hpp"

namespace edgelab::kernels {
namespace {

struct Row {
  const float *x, *weight, *dy, *addend;  // the last may be null
  float* dx;
  double *weight_sums, *bias_sums;
};

void differentiate_row(const Row& r, std::int64_t width, double epsilon) {
  const auto count = static_cast<double>(width);
  const auto at = [](const float* values, std::int64_t i) { return static_cast<double>(values[i]); };
  double mean = 0.0, variance = 0.0, gradients = 0.0, products = 0.0;
  for (std::int64_t i = 0; i < width; ++i) mean += at(r.x, i) / count;
  for (std::int64_t i = 0; i < width; ++i) variance += (at(r.x, i) - mean) * (at(r.x, i) - mean) / count;
  const double scale = 1.0 / std::sqrt(variance + epsilon);
  for (std::int64_t i = 0; i < width; ++i) {
    const double normal = (at(r.x, i) - mean) * scale;
    gradients += at(r.dy, i) * at(r.weight, i) / count;
    products += at(r.dy, i) * at(r.weight, i) * normal / count;
    r.weight_sums[i] += at(r.dy, i) * normal;
    r.bias_sums[i] += at(r.dy, i);
  }
  for (std::int64_t i = 0; i < width; ++i) {
    const double change = scale * (at(r.dy, i) * at(r.weight, i) - gradients - (at(r.x, i) - mean) * scale * products);
    r.dx[i] = static_cast<float>(change + (r.addend != nullptr ? at(r.addend, i) : 0.0));
  }
}

}  // namespace

Offer layer_norm_backward_reference(const CallSite& site) {
  const LayerNormBackward settings = *site.op.as<LayerNormBackward>();
  const std::int64_t width = site.inputs[0].shape.back(), rows = site.inputs[0].elements() / width;
  const std::vector<Tensor> constants(site.constants.begin(), site.constants.end());
  return plain_offer(
      site,
      [=] {
        return PreparedKernel{[=](const Buffers& buffers) -> Step {
          const auto floats = [&](std::size_t input) { return reinterpret_cast<const float*>(input_bytes(buffers, constants, input)); };
          const auto output = [&](std::size_t index) { return reinterpret_cast<float*>(buffers.outputs[index]); };
          auto* sums = reinterpret_cast<double*>(buffers.scratch);
          const Row first{floats(0), floats(1), floats(2), settings.has_addend ? floats(3) : nullptr, output(0), sums, sums + width};
          float *dweight = output(1), *dbias = output(2);
          return [=] {
            std::fill_n(sums, 2 * width, 0.0);
            for (std::int64_t row = 0; row < rows; ++row) {
              Row at = first;
              at.x += row * width;
              at.dy += row * width;
              at.dx += row * width;
              if (at.addend != nullptr) at.addend += row * width;
              differentiate_row(at, width, settings.epsilon);
            }
            for (std::int64_t i = 0; i < width; ++i) dweight[i] = static_cast<float>(sums[i]), dbias[i] = static_cast<float>(sums[width + i]);
          };
        }};
      },
      static_cast<std::size_t>(2 * width) * sizeof(double));
}

}  // namespace edgelab::kernels
