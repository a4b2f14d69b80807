#include "kernels/pool/global_average_pool_backward.hpp"

namespace edgelab::kernels {

Offer global_average_pool_backward_tile(const CallSite& site) {
  const Shape shape = site.outputs[0].shape;
  if (site.outputs[0].dtype != DType::f32) return Offer::refuse("images of another type than fp32");
  Offer offer = plain_offer(site, [=, constant = site.constants[0]] {
    return PreparedKernel{[=](const Buffers& buffers) -> Step {
      const auto* dy = reinterpret_cast<const float*>(input_bytes(buffers, {&constant, 1}, 0));
      auto* dx = reinterpret_cast<float*>(buffers.outputs[0]);
      return [=, keep = constant](const Member& member) {
        const std::int64_t channels = shape[1], pixels = shape[2] * shape[3];
        const Member::Part part = member.part(shape[0] * pixels);
        for (std::int64_t at = part.begin; at < part.end; ++at) {
          const float* from = dy + at / pixels * channels;
          float* to = dx + at * channels;
          for (std::int64_t c = 0; c < channels; ++c) to[c] = from[c] / static_cast<float>(pixels);
        }
      };
    }};
  });
  offer.outputs[0] = Layout::channels_last(site.outputs[0]);
  return offer;
}

}  // namespace edgelab::kernels
