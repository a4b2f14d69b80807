#include <vector>

#include "core/parallel_for.hpp"
#include "kernels/conv2d_backward/conv2d_backward_data.hpp"

namespace edgelab::kernels {
namespace {

struct Problem {
  Conv2dBackwardData settings;
  Shape y, w, x;
};

// The output row or column that reads input row or column `at` by tap `tap`; -1 if none does.
std::int64_t reader(std::int64_t at, std::int64_t tap, std::int64_t extent, const Conv2dBackwardData& settings) {
  const std::int64_t steps = at + settings.padding - tap;
  if (steps < 0 || steps % settings.stride != 0 || steps / settings.stride >= extent) return -1;
  return steps / settings.stride;
}

double gradient_element(const Problem& p, const float* dy, const float* w, std::int64_t n, std::int64_t c, std::int64_t r, std::int64_t s) {
  const DType type = p.settings.compute;
  const std::int64_t group_outputs = p.w[0] / p.settings.groups, group = c / p.w[1];
  double sum = 0.0;
  for (std::int64_t u = 0; u < p.w[2]; ++u) {
    const std::int64_t i = reader(r, u, p.y[2], p.settings);
    if (i < 0) continue;
    for (std::int64_t v = 0; v < p.w[3]; ++v) {
      const std::int64_t j = reader(s, v, p.y[3], p.settings);
      if (j < 0) continue;
      for (std::int64_t o = group * group_outputs; o < (group + 1) * group_outputs; ++o) {
        const float gradient = dy[((n * p.y[1] + o) * p.y[2] + i) * p.y[3] + j];
        sum += operand(type, gradient) * operand(type, w[((o * p.w[1] + c % p.w[1]) * p.w[2] + u) * p.w[3] + v]);
      }
    }
  }
  return sum;
}

}  // namespace

Offer conv2d_backward_data_reference(const CallSite& site) {
  const Problem problem{*site.op.as<Conv2dBackwardData>(), site.inputs[0].shape, site.inputs[1].shape, site.outputs[0].shape};
  const std::vector<Tensor> constants(site.constants.begin(), site.constants.end());
  const int threads = site.threads;
  Offer offer = plain_offer(site, [=] {
    return PreparedKernel{[=](const Buffers& buffers) -> Step {
      const auto* dy = reinterpret_cast<const float*>(input_bytes(buffers, constants, 0));
      const auto* w = reinterpret_cast<const float*>(input_bytes(buffers, constants, 1));
      auto* dx = reinterpret_cast<float*>(buffers.outputs[0]);
      return [=, p = problem] {
        parallel_for(p.x[0] * p.x[1], threads, [=, &p](std::int64_t begin, std::int64_t end) {
          for (std::int64_t plane = begin; plane < end; ++plane) {
            for (std::int64_t pixel = 0; pixel < p.x[2] * p.x[3]; ++pixel) {
              const double sum = gradient_element(p, dy, w, plane / p.x[1], plane % p.x[1], pixel / p.x[3], pixel % p.x[3]);
              dx[plane * p.x[2] * p.x[3] + pixel] = static_cast<float>(sum);
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
