#include <vector>

#include "core/parallel_for.hpp"
#include "kernels/conv2d_backward/conv2d_backward_weights.hpp"

namespace edgelab::kernels {
namespace {

struct Problem {
  Conv2dBackwardWeights settings;
  Shape x, y, w;
};

double weight_element(const Problem& p, const float* x, const float* dy, std::int64_t o, std::int64_t c, std::int64_t u, std::int64_t v) {
  const DType type = p.settings.compute;
  const std::int64_t channel = o / (p.w[0] / p.settings.groups) * p.w[1] + c;
  double sum = 0.0;
  for (std::int64_t n = 0; n < p.y[0]; ++n) {
    for (std::int64_t i = 0; i < p.y[2]; ++i) {
      const std::int64_t row = i * p.settings.stride + u - p.settings.padding;
      if (row < 0 || row >= p.x[2]) continue;
      for (std::int64_t j = 0; j < p.y[3]; ++j) {
        const std::int64_t column = j * p.settings.stride + v - p.settings.padding;
        if (column < 0 || column >= p.x[3]) continue;
        const float pixel = x[((n * p.x[1] + channel) * p.x[2] + row) * p.x[3] + column];
        sum += operand(type, pixel) * operand(type, dy[((n * p.y[1] + o) * p.y[2] + i) * p.y[3] + j]);
      }
    }
  }
  return sum;
}

double bias_element(const Problem& p, const float* dy, std::int64_t o) {
  double sum = 0.0;
  for (std::int64_t n = 0; n < p.y[0]; ++n) {
    const float* plane = dy + (n * p.y[1] + o) * p.y[2] * p.y[3];
    for (std::int64_t at = 0; at < p.y[2] * p.y[3]; ++at) sum += static_cast<double>(plane[at]);
  }
  return sum;
}

}  // namespace

Offer conv2d_backward_weights_reference(const CallSite& site) {
  const Problem problem{*site.op.as<Conv2dBackwardWeights>(), site.inputs[0].shape, site.inputs[1].shape, site.outputs[0].shape};
  const std::vector<Tensor> constants(site.constants.begin(), site.constants.end());
  const int threads = site.threads;
  Offer offer = plain_offer(site, [=] {
    return PreparedKernel{[=](const Buffers& buffers) -> Step {
      const auto* x = reinterpret_cast<const float*>(input_bytes(buffers, constants, 0));
      const auto* dy = reinterpret_cast<const float*>(input_bytes(buffers, constants, 1));
      auto* dw = reinterpret_cast<float*>(buffers.outputs[0]);
      auto* db = problem.settings.has_bias ? reinterpret_cast<float*>(buffers.outputs[1]) : nullptr;
      return [=, p = problem] {
        parallel_for(p.w[0], threads, [=, &p](std::int64_t begin, std::int64_t end) {
          const std::int64_t taps = p.w[2] * p.w[3];
          for (std::int64_t o = begin; o < end; ++o) {
            for (std::int64_t at = 0; at < p.w[1] * taps; ++at) {
              dw[o * p.w[1] * taps + at] = static_cast<float>(weight_element(p, x, dy, o, at / taps, at % taps / p.w[3], at % p.w[3]));
            }
            if (db != nullptr) db[o] = static_cast<float>(bias_element(p, dy, o));
          }
        });
      };
    }};
  });
  offer.effective = problem.settings.compute;
  return offer;
}

}  // namespace edgelab::kernels
