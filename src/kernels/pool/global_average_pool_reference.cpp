#include "core/parallel_for.hpp"
#include "kernels/pool/global_average_pool.hpp"

namespace edgelab::kernels {

Offer global_average_pool_reference(const CallSite& site) {
  const Shape shape = site.inputs[0].shape;
  const int threads = site.threads;
  return plain_offer(site, [=] {
    return PreparedKernel{[=](const Buffers& buffers) -> Step {
      const auto* x = reinterpret_cast<const float*>(buffers.inputs[0]);
      auto* y = reinterpret_cast<float*>(buffers.outputs[0]);
      return [=] {
        const std::int64_t pixels = shape[2] * shape[3];
        parallel_for(shape[0] * shape[1], threads, [=](std::int64_t begin, std::int64_t end) {
          for (std::int64_t plane = begin; plane < end; ++plane) {
            double sum = 0.0;
            for (std::int64_t at = 0; at < pixels; ++at) sum += static_cast<double>(x[plane * pixels + at]);
            y[plane] = static_cast<float>(sum / static_cast<double>(pixels));
          }
        });
      };
    }};
  });
}

}  // namespace edgelab::kernels
