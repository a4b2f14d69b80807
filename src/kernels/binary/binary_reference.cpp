#include <vector>

#include "core/parallel_for.hpp"
#include "kernels/binary/binary.hpp"

namespace edgelab::kernels {

Offer binary_reference(const CallSite& site) {
  const bool adds = site.op.as<Binary>()->kind == Binary::Kind::add;
  const std::int64_t count = site.inputs[0].elements();
  const BroadcastIndex index(site.inputs[1].shape, site.inputs[0].shape);
  const std::vector<Tensor> constants(site.constants.begin(), site.constants.end());
  const int threads = site.threads;
  return plain_offer(site, [=] {
    return PreparedKernel{[=](const Buffers& buffers) -> Step {
      const auto* a = reinterpret_cast<const float*>(input_bytes(buffers, constants, 0));
      const auto* b = reinterpret_cast<const float*>(input_bytes(buffers, constants, 1));
      auto* y = reinterpret_cast<float*>(buffers.outputs[0]);
      return [=] {
        parallel_for(count, threads, [=](std::int64_t begin, std::int64_t end) {
          for (std::int64_t at = begin; at < end; ++at) y[at] = adds ? a[at] + b[index(at)] : a[at] * b[index(at)];
        });
      };
    }};
  });
}

}  // namespace edgelab::kernels
