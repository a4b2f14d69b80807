#include "kernels/quantized_patch_embed/quantized_patch_embed.hpp"

#include "core/error.hpp"

namespace edgelab::kernels {

std::vector<TensorType> QuantizedPatchEmbed::infer(std::span<const TensorType> inputs) const {
  require_inputs(kName, inputs, 3, 64);
  require_shape(kName, inputs[kScale], {inputs[1].shape[0]}, "the weight's scale");
  if (inputs[0].dtype != DType::f32 || inputs[1].dtype != DType::s8) {
    throw Error(ErrorKind::data, "quantized_patch_embed: types that don't fit")
        .got(std::string(name_of(inputs[0].dtype)) + " and " + std::string(name_of(inputs[1].dtype)))
        .expected("images of fp32 and a weight of int8");
  }
  return layout.infer(without_scale(inputs));
}

std::int64_t QuantizedPatchEmbed::flop(std::span<const TensorType> inputs, std::span<const TensorType> outputs) const {
  return layout.flop(without_scale(inputs), outputs);
}

std::string QuantizedPatchEmbed::text() const { return layout.text() + ", int" + std::to_string(weight_bits); }

std::span<const Implementation> QuantizedPatchEmbed::implementations() {
  static constexpr Implementation list[] = {{"tile", quantized_patch_embed_tile}, {"reference", quantized_patch_embed_reference}};
  return list;
}

Tensor quantized_patch_embed_table(const QuantizedPatchEmbed& settings, std::span<const Tensor> constants, std::int64_t tokens, std::int64_t width) {
  PatchEmbed without_bias = settings.layout;
  std::vector<Tensor> plain = settings.without_scale(constants);
  if (without_bias.has_bias) plain.erase(plain.begin() + 2);
  without_bias.has_bias = false;
  return patch_embed_table(without_bias, plain, tokens, width);
}

}  // namespace edgelab::kernels
