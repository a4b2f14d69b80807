#include <cmath>
#include <vector>

#include "core/parallel_for.hpp"
#include "kernels/layer_norm_linear/layer_norm_linear.hpp"

namespace edgelab::kernels {
namespace {

struct Problem {
  LayerNormLinear settings;
  std::int64_t k, n;
  const float *x, *gain, *shift, *weight, *bias;
  std::byte* y;
};

void normalise(const Problem& p, std::int64_t row, double* normal) {
  const float* x = p.x + row * p.k;
  const auto k = static_cast<double>(p.k);
  double mean = 0, variance = 0;
  for (std::int64_t i = 0; i < p.k; ++i) mean += static_cast<double>(x[i]) / k;
  for (std::int64_t i = 0; i < p.k; ++i) variance += std::pow(static_cast<double>(x[i]) - mean, 2) / k;
  for (std::int64_t i = 0; i < p.k; ++i) {
    normal[i] = (static_cast<double>(x[i]) - mean) / std::sqrt(variance + p.settings.epsilon) * static_cast<double>(p.gain[i]) +
                static_cast<double>(p.shift[i]);
    if (p.settings.compute != DType::f32) normal[i] = operand(p.settings.compute, static_cast<float>(normal[i]));
  }
}

void multiply(const Problem& p, std::int64_t row, const double* normal) {
  for (std::int64_t i = 0; i < p.n; ++i) {
    double sum = p.bias == nullptr ? 0.0 : static_cast<double>(p.bias[i]);
    for (std::int64_t j = 0; j < p.k; ++j) sum += normal[j] * operand(p.settings.compute, p.weight[i * p.k + j]);
    const auto value = static_cast<float>(activate(p.settings.activation, sum));
    const std::int64_t at = row * p.n + i;
    if (p.settings.output == DType::bf16) {
      reinterpret_cast<std::uint16_t*>(p.y)[at] = float_to_bf16(value);
    } else {
      reinterpret_cast<float*>(p.y)[at] = value;
    }
  }
}

}  // namespace

Offer layer_norm_linear_reference(const CallSite& site) {
  const LayerNormLinear settings = *site.op.as<LayerNormLinear>();
  const std::int64_t k = site.inputs[3].shape[1], n = site.inputs[3].shape[0], rows = site.inputs[0].elements() / k;
  const std::vector<Tensor> constants(site.constants.begin(), site.constants.end());
  const int threads = site.threads;
  Offer offer = plain_offer(
      site,
      [=] {
        return PreparedKernel{[=](const Buffers& buffers) -> Step {
          const auto floats = [&](std::size_t input) { return reinterpret_cast<const float*>(input_bytes(buffers, constants, input)); };
          const Problem problem{settings, k, n, floats(0), floats(1), floats(2), floats(3), settings.has_bias ? floats(4) : nullptr, buffers.outputs[0]};
          auto* scratch = reinterpret_cast<double*>(buffers.scratch);
          return [=] {
            parallel_for(rows, threads, [=](std::int64_t begin, std::int64_t end) {
              for (std::int64_t row = begin; row < end; ++row) {
                normalise(problem, row, scratch + row * k);
                multiply(problem, row, scratch + row * k);
              }
            });
          };
        }};
      },
      static_cast<std::size_t>(rows * k) * sizeof(double));
  offer.effective = settings.compute;
  return offer;
}

}  // namespace edgelab::kernels
