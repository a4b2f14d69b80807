#include <vector>

#include "kernels/activation/activation_map.hpp"
#include "kernels/activation_backward/activation_backward.hpp"

namespace edgelab::kernels {

Offer activation_backward_simd(const CallSite& site) {
  const ActivationKind kind = site.op.as<ActivationBackward>()->kind;
  // As x lies, whatever that is: constants lie plain.
  const bool constant = site.constant(0) || site.constant(1);
  const Layout layout = constant ? Layout::plain(site.inputs[0]) : site.offered[0];
  const auto count = static_cast<std::int64_t>(layout.bytes() / sizeof(float));
  const std::vector<Tensor> constants(site.constants.begin(), site.constants.end());
  Offer offer = plain_offer(site, [=] {
    return PreparedKernel{[=](const Buffers& buffers) -> Step {
      const auto* x = reinterpret_cast<const float*>(input_bytes(buffers, constants, 0));
      const auto* dy = reinterpret_cast<const float*>(input_bytes(buffers, constants, 1));
      auto* dx = reinterpret_cast<float*>(buffers.outputs[0]);
      return [=, keep = constants](const Member& member) {
        const Member::Part part = member.part(count, 16);  // whole cache lines
        activate_backward(kind, x + part.begin, dy + part.begin, dx + part.begin, part.size());
      };
    }};
  });
  offer.inputs[0] = offer.inputs[1] = offer.outputs[0] = layout;
  return offer;
}

}  // namespace edgelab::kernels
