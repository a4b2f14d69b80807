#include <algorithm>
#include <array>

#include "kernels/pool/global_average_pool.hpp"

namespace edgelab::kernels {
namespace {

// Channels whose sums a member keeps at once: whole cache lines, and few enough for registers.
constexpr std::int64_t kChannels = 64;

void average(const float* x, std::int64_t pixels, std::int64_t channels, std::int64_t count, float* y) {
  std::array<float, kChannels> sums{};
  for (std::int64_t pixel = 0; pixel < pixels; ++pixel, x += channels) {
    if (count == kChannels) {
      for (std::int64_t c = 0; c < kChannels; ++c) sums[static_cast<std::size_t>(c)] += x[c];
    } else {
      for (std::int64_t c = 0; c < count; ++c) sums[static_cast<std::size_t>(c)] += x[c];
    }
  }
  for (std::int64_t c = 0; c < count; ++c) y[c] = sums[static_cast<std::size_t>(c)] / static_cast<float>(pixels);
}

}  // namespace

Offer global_average_pool_tile(const CallSite& site) {
  const Shape shape = site.inputs[0].shape;
  if (site.inputs[0].dtype != DType::f32) return Offer::refuse("images of another type than fp32");
  Offer offer = plain_offer(site, [=] {
    return PreparedKernel{[=](const Buffers& buffers) -> Step {
      const auto* x = reinterpret_cast<const float*>(buffers.inputs[0]);
      auto* y = reinterpret_cast<float*>(buffers.outputs[0]);
      return [=](const Member& member) {
        const std::int64_t channels = shape[1], pixels = shape[2] * shape[3], blocks = (channels + kChannels - 1) / kChannels;
        const Member::Part part = member.part(shape[0] * blocks);
        for (std::int64_t at = part.begin; at < part.end; ++at) {
          const std::int64_t image = at / blocks, first = at % blocks * kChannels;
          average(x + image * pixels * channels + first, pixels, channels, std::min(kChannels, channels - first), y + image * channels + first);
        }
      };
    }};
  });
  offer.inputs[0] = Layout::channels_last(site.inputs[0]);
  return offer;
}

}  // namespace edgelab::kernels
