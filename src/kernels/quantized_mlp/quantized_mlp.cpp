#include "kernels/quantized_mlp/quantized_mlp.hpp"

#include "core/error.hpp"

namespace edgelab::kernels {

std::vector<TensorType> QuantizedMlp::infer(std::span<const TensorType> inputs) const {
  require_inputs(kName, inputs, kInputs, kInputs);
  require_rank(kName, inputs[kUp], 2, "the first weight");
  const std::int64_t width = inputs[kX].shape.back(), hidden_units = inputs[kUp].shape[0];
  require_shape(kName, inputs[kNormWeight], {width}, "the normalisation's weight");
  require_shape(kName, inputs[kNormBias], {width}, "the normalisation's bias");
  require_shape(kName, inputs[kUp], {hidden_units, width}, "the first weight");
  require_shape(kName, inputs[kUpScale], {hidden_units}, "the first weight's scale");
  require_shape(kName, inputs[kUpBias], {hidden_units}, "the first bias");
  require_shape(kName, inputs[kDown], {width, hidden_units}, "the second weight");
  require_shape(kName, inputs[kDownScale], {width}, "the second weight's scale");
  require_shape(kName, inputs[kDownBias], {width}, "the second bias");
  if (inputs[kX].dtype != DType::f32 || inputs[kUp].dtype != DType::s8 || inputs[kDown].dtype != DType::s8 || activation == ActivationKind::relu6) {
    throw Error(ErrorKind::data, "quantized_mlp: types that don't fit").got(text()).expected("fp32 in, weights of s8, and no relu6");
  }
  return {inputs[kX]};
}

std::int64_t QuantizedMlp::flop(std::span<const TensorType> inputs, std::span<const TensorType>) const {
  const std::int64_t elements = inputs[kX].elements(), width = inputs[kX].shape.back(), hidden_units = inputs[kUp].shape[0];
  return 4 * elements * hidden_units + elements / width * hidden_units + 9 * elements;
}

std::string QuantizedMlp::text() const {
  const auto bits = [](int number) { return "int" + std::to_string(number); };
  return std::string(name_of(activation)) + ", " + bits(up_bits) + (up_bits == down_bits ? "" : " and " + bits(down_bits));
}

std::span<const Implementation> QuantizedMlp::implementations() {
  static constexpr Implementation list[] = {{"tile", quantized_mlp_tile}, {"reference", quantized_mlp_reference}};
  return list;
}

}  // namespace edgelab::kernels
