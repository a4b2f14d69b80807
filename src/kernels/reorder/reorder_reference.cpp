#include "kernels/reorder/reorder.hpp"

namespace edgelab::kernels {

Offer reorder_reference(const CallSite& site) {
  const Layout from = site.offered[0];
  const Layout to = site.op.as<Reorder>()->target;
  const Shape shape = site.inputs[0].shape;
  if (from.kind() == Layout::Kind::opaque || to.kind() == Layout::Kind::opaque) return Offer::refuse("a library's own layout");
  if (shape.rank() != 4) return Offer::refuse("only images have a channels-last layout");
  const bool to_channels_last = to.kind() == Layout::Kind::channels_last;
  Offer offer = plain_offer(site, [=] {
    return PreparedKernel{[=](const Buffers& buffers) -> Step {
      const auto* x = reinterpret_cast<const float*>(buffers.inputs[0]);
      auto* y = reinterpret_cast<float*>(buffers.outputs[0]);
      return [=] {
        const std::int64_t channels = shape[1], pixels = shape[2] * shape[3];
        for (std::int64_t n = 0; n < shape[0]; ++n) {
          for (std::int64_t c = 0; c < channels; ++c) {
            for (std::int64_t pixel = 0; pixel < pixels; ++pixel) {
              const std::int64_t plain = (n * channels + c) * pixels + pixel;
              const std::int64_t last = (n * pixels + pixel) * channels + c;
              if (to_channels_last) {
                y[last] = x[plain];
              } else {
                y[plain] = x[last];
              }
            }
          }
        }
      };
    }};
  });
  offer.inputs[0] = from;
  offer.outputs[0] = to;
  return offer;
}

}  // namespace edgelab::kernels
