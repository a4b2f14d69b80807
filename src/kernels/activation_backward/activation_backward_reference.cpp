#include <vector>

#include "core/parallel_for.hpp"
#include "kernels/activation_backward/activation_backward.hpp"

namespace edgelab::kernels {

Offer activation_backward_reference(const CallSite& site) {
  const ActivationKind kind = site.op.as<ActivationBackward>()->kind;
  const std::int64_t count = site.outputs[0].elements();
  const std::vector<Tensor> constants(site.constants.begin(), site.constants.end());
  const int threads = site.threads;
  return plain_offer(site, [=] {
    return PreparedKernel{[=](const Buffers& buffers) -> Step {
      const auto* x = reinterpret_cast<const float*>(input_bytes(buffers, constants, 0));
      const auto* dy = reinterpret_cast<const float*>(input_bytes(buffers, constants, 1));
      auto* dx = reinterpret_cast<float*>(buffers.outputs[0]);
      return [=] {
        parallel_for(count, threads, [=](std::int64_t begin, std::int64_t end) {
          for (std::int64_t i = begin; i < end; ++i) {
            dx[i] = static_cast<float>(activation_slope(kind, static_cast<double>(x[i])) * static_cast<double>(dy[i]));
          }
        });
      };
    }};
  });
}

}  // namespace edgelab::kernels
