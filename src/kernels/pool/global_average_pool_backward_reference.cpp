#include <algorithm>

#include "core/parallel_for.hpp"
#include "kernels/pool/global_average_pool_backward.hpp"

namespace edgelab::kernels {

Offer global_average_pool_backward_reference(const CallSite& site) {
  const Shape shape = site.outputs[0].shape;
  const int threads = site.threads;
  return plain_offer(site, [=, constant = site.constants[0]] {
    return PreparedKernel{[=](const Buffers& buffers) -> Step {
      const auto* dy = reinterpret_cast<const float*>(input_bytes(buffers, {&constant, 1}, 0));
      auto* dx = reinterpret_cast<float*>(buffers.outputs[0]);
      return [=] {
        const std::int64_t pixels = shape[2] * shape[3];
        parallel_for(shape[0] * shape[1], threads, [=](std::int64_t begin, std::int64_t end) {
          for (std::int64_t plane = begin; plane < end; ++plane) {
            std::fill_n(dx + plane * pixels, pixels, static_cast<float>(static_cast<double>(dy[plane]) / static_cast<double>(pixels)));
          }
        });
      };
    }};
  });
}

}  // namespace edgelab::kernels
