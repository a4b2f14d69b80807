#include <cstring>

#include "kernels/reorder/reorder.hpp"

namespace edgelab::kernels {

Offer reorder_reference(const CallSite& site) {
  const Layout from = site.offered[0];
  const Layout to = site.op.as<Reorder>()->target;
  const Shape shape = site.inputs[0].shape;
  const std::size_t size = size_of(site.inputs[0].dtype);
  if (from.kind() == Layout::Kind::opaque || to.kind() == Layout::Kind::opaque) return Offer::refuse("a library's own layout");
  if (shape.rank() != 4) return Offer::refuse("only images have a channels-last layout");
  const bool to_channels_last = to.kind() == Layout::Kind::channels_last;
  Offer offer = plain_offer(site, [=] {
    return PreparedKernel{[=](const Buffers& buffers) -> Step {
      const std::byte* x = buffers.inputs[0];
      std::byte* y = buffers.outputs[0];
      return [=] {
        const std::int64_t channels = shape[1], pixels = shape[2] * shape[3];
        for (std::int64_t n = 0; n < shape[0]; ++n) {
          for (std::int64_t c = 0; c < channels; ++c) {
            for (std::int64_t pixel = 0; pixel < pixels; ++pixel) {
              const auto plain = static_cast<std::size_t>((n * channels + c) * pixels + pixel) * size;
              const auto last = static_cast<std::size_t>((n * pixels + pixel) * channels + c) * size;
              std::memcpy(y + (to_channels_last ? last : plain), x + (to_channels_last ? plain : last), size);
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
