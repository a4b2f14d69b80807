#include "kernels/linear_backward/linear_backward_weights.hpp"
#include "kernels/linear_backward/tile_weight_gradient.hpp"

namespace edgelab::kernels {

Offer linear_backward_weights_tile(const CallSite& site) {
  const LinearBackwardWeights settings = *site.op.as<LinearBackwardWeights>();
  if (site.inputs[0].dtype != DType::f32 && site.inputs[0].dtype != settings.compute) return Offer::refuse("takes bf16 only where it computes in it");
  TileWeightGradientSettings sizes;
  sizes.k = site.inputs[0].shape.back();
  sizes.n = site.inputs[1].shape.back();
  sizes.rows = site.inputs[0].elements() / sizes.k;
  sizes.compute = settings.compute;
  sizes.x = site.inputs[0].dtype;
  const TileWeightGradient gradient(sizes, site.threads, site.machine);
  const std::vector<Tensor> constants(site.constants.begin(), site.constants.end());
  Offer offer = plain_offer(
      site,
      [=] {
        return PreparedKernel{[=](const Buffers& buffers) -> Step {
          TileWeightGradient::Memory memory;
          memory.x = input_bytes(buffers, constants, 0);
          memory.dy = reinterpret_cast<const float*>(input_bytes(buffers, constants, 1));
          memory.dw = reinterpret_cast<float*>(buffers.outputs[0]);
          if (settings.has_bias) memory.db = reinterpret_cast<float*>(buffers.outputs[1]);
          memory.scratch = buffers.scratch;
          return [gradient, memory, keep = constants](const Member& member) { gradient.run(member, memory); };
        }};
      },
      gradient.scratch_bytes());
  offer.detail = gradient.detail();
  offer.effective = settings.compute;
  return offer;
}

}  // namespace edgelab::kernels
