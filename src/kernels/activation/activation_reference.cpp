#include "core/parallel_for.hpp"
#include "kernels/activation/activation.hpp"
#include "kernels/floats.hpp"

namespace edgelab::kernels {

Offer activation_reference(const CallSite& site) {
  const ActivationKind kind = site.op.as<Activation>()->kind;
  const DType type = site.outputs[0].dtype;
  const std::int64_t count = site.outputs[0].elements();
  const int threads = site.threads;
  return plain_offer(site, [=] {
    return PreparedKernel{[=](const Buffers& buffers) -> Step {
      const auto* x = reinterpret_cast<const float*>(buffers.inputs[0]);
      std::byte* y = buffers.outputs[0];
      return [=] {
        parallel_for(count, threads, [=](std::int64_t begin, std::int64_t end) {
          for (std::int64_t i = begin; i < end; ++i) store_float(y, type, i, static_cast<float>(activate(kind, static_cast<double>(x[i]))));
        });
      };
    }};
  });
}

}  // namespace edgelab::kernels
