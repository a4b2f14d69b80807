#include <vector>

#include "kernels/batch_norm/batch_norm.hpp"
#include "kernels/batch_norm/batch_norm_pixels.hpp"
#include "kernels/caches.hpp"
#include "kernels/chunks.hpp"

namespace edgelab::kernels {

Offer batch_norm_simd(const CallSite& site) {
  const BatchNorm settings = *site.op.as<BatchNorm>();
  const Shape shape = site.inputs[0].shape;
  if (site.inputs[0].dtype != DType::f32) return Offer::refuse("images of another type than fp32");
  if (site.constant(0)) return Offer::refuse("images that are constant");
  if (!norm_pixels_know(settings.activation)) return Offer::refuse("gelu");
  if (settings.activation == ActivationKind::none && site.offered[0].kind() != Layout::Kind::channels_last) {
    return Offer::refuse("not channels last; oneDNN takes images as they lie");
  }
  const std::vector<Tensor> constants(site.constants.begin(), site.constants.end());
  const std::int64_t channels = shape[1];
  const Chunks chunks{shape[0] * shape[2] * shape[3], site.threads};
  const bool past_cache = goes_past_caches(static_cast<std::int64_t>(site.outputs[0].bytes()));
  const auto prepare = [=] {
    return PreparedKernel{[=](const Buffers& buffers) -> Step {
      const auto floats = [&](std::size_t input) { return reinterpret_cast<const float*>(input_bytes(buffers, constants, input)); };
      const float *weight = floats(1), *variance = floats(4);
      auto* y = reinterpret_cast<float*>(buffers.outputs[0]);
      auto* scale = reinterpret_cast<float*>(buffers.scratch);
      const NormPixels whole{floats(0), chunks.total, channels, floats(3), scale, floats(2), settings.activation};
      return [=, keep = constants](const Member& member) {
        const Member::Part part = member.part(channels, 16);
        for (std::int64_t c = part.begin; c < part.end; ++c) scale[c] = norm_scale(weight[c], variance[c], settings.epsilon);
        member.barrier();
        chunks.each(member, [&](std::int64_t, std::int64_t first, std::int64_t size) {
          NormPixels mine = whole;
          mine.x += first * channels;
          mine.pixels = size;
          normalise_pixels(mine, y + first * channels, past_cache);
        });
      };
    }};
  };
  Offer offer = plain_offer(site, prepare, static_cast<std::size_t>(channels) * sizeof(float));
  offer.inputs[0] = Layout::channels_last(site.inputs[0]);
  offer.outputs[0] = Layout::channels_last(site.outputs[0]);
  return offer;
}

}  // namespace edgelab::kernels
