#include <memory>

#include "kernels/quantized_linear/tile_quantized_linear.hpp"

namespace edgelab::kernels {

Offer quantized_linear_tile(const CallSite& site) {
  const QuantizedLinear settings = *site.op.as<QuantizedLinear>();
  for (std::size_t input = 1; input < site.inputs.size(); ++input) {
    const bool residual = settings.has_residual && input == settings.residual_input();
    if (!residual && !site.constant(input)) return Offer::refuse("the weight is not known when the plan is made");
  }
  const std::int64_t k = site.inputs[0].shape.back(), n = site.inputs[settings.weight_input()].shape[0];
  const TileQuantizedLinear linear(settings, site.inputs[0].dtype, site.inputs[0].elements() / k, k, n, site.threads, site.machine);
  const std::vector<Tensor> constants(site.constants.begin(), site.constants.end());
  Offer offer = plain_offer(
      site,
      [=, packs = site.packs] {
        const Tensor bias = settings.has_bias ? constants[settings.bias_input()] : Tensor();
        const auto weight = std::make_shared<const IntegerLayer::Packed>(
            linear.layer().pack(constants[settings.weight_input()], constants[settings.scale_input()], bias, *packs));
        return PreparedKernel{[=](const Buffers& buffers) -> Step {
                                const auto floats = [&](std::size_t input) { return reinterpret_cast<const float*>(input_bytes(buffers, constants, input)); };
                                TileQuantizedLinear::Memory memory;
                                memory.x = input_bytes(buffers, constants, 0);
                                if (settings.epsilon) memory.gain = floats(1), memory.shift = floats(2);
                                memory.weight = weight.get();
                                if (settings.has_residual) memory.residual = floats(settings.residual_input());
                                memory.y = buffers.outputs[0];
                                memory.scratch = buffers.scratch;
                                return [linear, memory, weight, keep = constants](const Member& member) { linear.run(member, memory); };
                              },
                              weight->bytes()};
      },
      linear.scratch_bytes());
  offer.detail = linear.layer().detail();
  offer.effective = DType::s8;
  return offer;
}

}  // namespace edgelab::kernels
