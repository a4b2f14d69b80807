#include <memory>

#include "kernels/quantized_mlp/tile_quantized_mlp.hpp"

namespace edgelab::kernels {

Offer quantized_mlp_tile(const CallSite& site) {
  using Quantized = QuantizedMlp;
  for (std::size_t input = 1; input < Quantized::kInputs; ++input) {
    if (!site.constant(input)) return Offer::refuse("the weights are not known when the plan is made");
  }
  const Quantized settings = *site.op.as<Quantized>();
  const std::int64_t width = site.inputs[Quantized::kX].shape.back(), hidden = site.inputs[Quantized::kUp].shape[0];
  const TileQuantizedMlp mlp(settings, {site.inputs[Quantized::kX].elements() / width, width, hidden}, site.threads, site.machine);
  const std::vector<Tensor> constants(site.constants.begin(), site.constants.end());
  Offer offer = plain_offer(
      site,
      [=, packs = site.packs] {
        const auto weights = std::make_shared<const TileQuantizedMlp::Weights>(
            TileQuantizedMlp::Weights{mlp.up().pack(constants[Quantized::kUp], constants[Quantized::kUpScale], constants[Quantized::kUpBias], *packs),
                                      mlp.down().pack(constants[Quantized::kDown], constants[Quantized::kDownScale], constants[Quantized::kDownBias], *packs)});
        return PreparedKernel{[=](const Buffers& buffers) -> Step {
                                const auto floats = [&](std::size_t input) { return reinterpret_cast<const float*>(input_bytes(buffers, constants, input)); };
                                TileQuantizedMlp::Memory memory;
                                memory.x = floats(Quantized::kX);
                                memory.gain = floats(Quantized::kNormWeight);
                                memory.shift = floats(Quantized::kNormBias);
                                memory.weights = weights.get();
                                memory.y = reinterpret_cast<float*>(buffers.outputs[0]);
                                memory.scratch = buffers.scratch;
                                return [mlp, memory, weights, keep = constants](const Member& member) { mlp.run(member, memory); };
                              },
                              weights->up.bytes() + weights->down.bytes()};
      },
      mlp.scratch_bytes());
  offer.detail = mlp.up().detail();
  offer.effective = DType::s8;
  return offer;
}

}  // namespace edgelab::kernels
