#include "kernels/mlp/mlp.hpp"
#include "kernels/mlp/tile_mlp.hpp"

namespace edgelab::kernels {

Offer mlp_tile(const CallSite& site) {
  if (!site.constant(Mlp::kUp) || !site.constant(Mlp::kDown)) return Offer::refuse("the weights are not known when the plan is made");
  if (site.inputs[Mlp::kX].dtype != DType::f32) return Offer::refuse("only fp32 in");
  const Mlp settings = *site.op.as<Mlp>();
  const std::int64_t width = site.inputs[Mlp::kX].shape.back(), hidden = site.inputs[Mlp::kUp].shape[0];
  const TileMlp mlp(settings, {site.inputs[Mlp::kX].elements() / width, width, hidden}, site.threads, site.machine);
  const std::vector<Tensor> constants(site.constants.begin(), site.constants.end());
  Offer offer = plain_offer(
      site,
      [=, packs = site.packs] {
        const auto weights = std::make_shared<const TileMlp::Weights>(mlp.pack(constants[Mlp::kUp], constants[Mlp::kDown], *packs));
        return PreparedKernel{[=](const Buffers& buffers) -> Step {
                                const auto floats = [&](std::size_t input) { return reinterpret_cast<const float*>(input_bytes(buffers, constants, input)); };
                                TileMlp::Memory memory;
                                memory.x = floats(Mlp::kX);
                                memory.gain = floats(Mlp::kNormWeight);
                                memory.shift = floats(Mlp::kNormBias);
                                memory.up_bias = floats(Mlp::kUpBias);
                                memory.down_bias = floats(Mlp::kDownBias);
                                memory.weights = weights.get();
                                memory.y = reinterpret_cast<float*>(buffers.outputs[0]);
                                memory.scratch = buffers.scratch;
                                return [mlp, memory, weights, keep = constants](const Member& member) { mlp.run(member, memory); };
                              },
                              weights->bytes()};
      },
      mlp.scratch_bytes());
  offer.detail = mlp.detail();
  offer.effective = settings.compute;
  return offer;
}

}  // namespace edgelab::kernels
