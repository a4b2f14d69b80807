#include "kernels/activation/activation_map.hpp"

namespace edgelab::kernels {

Offer activation_simd(const CallSite& site) {
  if (site.inputs[0].dtype != DType::f32) return Offer::refuse("only fp32");
  const bool narrow = site.outputs[0].dtype == DType::bf16;
  if (narrow && !site.offered[0].is_plain()) return Offer::refuse("bf16 only in a plain layout");
  const ActivationKind kind = site.op.as<Activation>()->kind;
  const auto count = static_cast<std::int64_t>(site.offered[0].bytes() / sizeof(float));
  Offer offer = plain_offer(site, [=] {
    return PreparedKernel{[=](const Buffers& buffers) -> Step {
      const auto* x = reinterpret_cast<const float*>(buffers.inputs[0]);
      std::byte* y = buffers.outputs[0];
      return [=](const Member& member) {
        const Member::Part part = member.part(count, 32);  // whole cache lines
        if (narrow) {
          activate_to_bf16(kind, x + part.begin, reinterpret_cast<std::uint16_t*>(y) + part.begin, part.size());
        } else {
          activate(kind, x + part.begin, reinterpret_cast<float*>(y) + part.begin, part.size());
        }
      };
    }};
  });
  if (!narrow) offer.inputs[0] = offer.outputs[0] = site.offered[0];
  return offer;
}

}  // namespace edgelab::kernels
