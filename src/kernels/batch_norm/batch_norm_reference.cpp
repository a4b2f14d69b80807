#include <cmath>
#include <vector>

#include "core/parallel_for.hpp"
#include "kernels/batch_norm/batch_norm.hpp"

namespace edgelab::kernels {

Offer batch_norm_reference(const CallSite& site) {
  const BatchNorm settings = *site.op.as<BatchNorm>();
  const Shape shape = site.inputs[0].shape;
  const std::vector<Tensor> constants(site.constants.begin(), site.constants.end());
  const int threads = site.threads;
  return plain_offer(site, [=] {
    return PreparedKernel{[=](const Buffers& buffers) -> Step {
      const auto floats = [&](std::size_t input) { return reinterpret_cast<const float*>(input_bytes(buffers, constants, input)); };
      const float *x = floats(0), *weight = floats(1), *bias = floats(2), *mean = floats(3), *variance = floats(4);
      auto* y = reinterpret_cast<float*>(buffers.outputs[0]);
      return [=] {
        const std::int64_t pixels = shape[2] * shape[3];
        parallel_for(shape[0] * shape[1], threads, [=](std::int64_t begin, std::int64_t end) {
          for (std::int64_t plane = begin; plane < end; ++plane) {
            const std::int64_t c = plane % shape[1];
            const double scale = static_cast<double>(weight[c]) / std::sqrt(static_cast<double>(variance[c]) + settings.epsilon);
            const double shift = static_cast<double>(bias[c]) - static_cast<double>(mean[c]) * scale;
            for (std::int64_t at = plane * pixels; at < (plane + 1) * pixels; ++at) {
              y[at] = static_cast<float>(activate(settings.activation, static_cast<double>(x[at]) * scale + shift));
            }
          }
        });
      };
    }};
  });
}

}  // namespace edgelab::kernels
