#include <vector>

#include "core/parallel_for.hpp"
#include "kernels/conv2d/conv2d.hpp"

namespace edgelab::kernels {
namespace {

struct Problem {
  Conv2d settings;
  Shape x, w, y;
};

double output_element(const Problem& p, const float* x, const float* w, std::int64_t n, std::int64_t o, std::int64_t i, std::int64_t j) {
  const std::int64_t first_channel = o / (p.w[0] / p.settings.groups) * p.w[1];
  double sum = 0.0;
  for (std::int64_t c = 0; c < p.w[1]; ++c) {
    for (std::int64_t u = 0; u < p.w[2]; ++u) {
      const std::int64_t row = i * p.settings.stride + u - p.settings.padding;
      if (row < 0 || row >= p.x[2]) continue;
      for (std::int64_t v = 0; v < p.w[3]; ++v) {
        const std::int64_t column = j * p.settings.stride + v - p.settings.padding;
        if (column < 0 || column >= p.x[3]) continue;
        const float pixel = x[((n * p.x[1] + first_channel + c) * p.x[2] + row) * p.x[3] + column];
        const float weight = w[((o * p.w[1] + c) * p.w[2] + u) * p.w[3] + v];
        sum += operand(p.settings.compute, pixel) * operand(p.settings.compute, weight);
      }
    }
  }
  return sum;
}

}  // namespace

Offer conv2d_reference(const CallSite& site) {
  const Problem problem{*site.op.as<Conv2d>(), site.inputs[0].shape, site.inputs[1].shape, site.outputs[0].shape};
  const std::vector<Tensor> constants(site.constants.begin(), site.constants.end());
  const int threads = site.threads;
  Offer offer = plain_offer(site, [=] {
    return PreparedKernel{[=](const Buffers& buffers) -> Step {
      const auto floats = [&](std::size_t input) { return reinterpret_cast<const float*>(input_bytes(buffers, constants, input)); };
      const float* x = floats(0);
      const float* w = floats(1);
      const float* bias = problem.settings.has_bias ? floats(2) : nullptr;
      const float* residual = problem.settings.has_residual ? floats(problem.settings.residual_input()) : nullptr;
      auto* y = reinterpret_cast<float*>(buffers.outputs[0]);
      return [=, p = problem] {
        parallel_for(p.y[0] * p.y[1], threads, [=, &p](std::int64_t begin, std::int64_t end) {
          for (std::int64_t plane = begin; plane < end; ++plane) {
            const std::int64_t n = plane / p.y[1];
            const std::int64_t o = plane % p.y[1];
            for (std::int64_t pixel = 0; pixel < p.y[2] * p.y[3]; ++pixel) {
              double value = output_element(p, x, w, n, o, pixel / p.y[3], pixel % p.y[3]);
              if (bias != nullptr) value += static_cast<double>(bias[o]);
              value = activate(p.settings.activation, value);
              const std::int64_t at = plane * p.y[2] * p.y[3] + pixel;
              if (residual != nullptr) value += static_cast<double>(residual[at]);
              y[at] = static_cast<float>(value);
            }
          }
        });
      };
    }};
  });
  offer.effective = problem.settings.compute;
  return offer;
}

}  // namespace edgelab::kernels
