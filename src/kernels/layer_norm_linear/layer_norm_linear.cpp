#include "kernels/layer_norm_linear/layer_norm_linear.hpp"

#include "core/error.hpp"

namespace edgelab::kernels {

std::vector<TensorType> LayerNormLinear::infer(std::span<const TensorType> inputs) const {
  require_inputs(kName, inputs, has_bias ? 5 : 4, has_bias ? 5 : 4);
  const std::int64_t k = inputs[0].shape.back();
  require_shape(kName, inputs[1], {k}, "the normalisation's weight");
  require_shape(kName, inputs[2], {k}, "the normalisation's bias");
  require_rank(kName, inputs[3], 2, "the weight");
  const std::int64_t n = inputs[3].shape[0];
  require_shape(kName, inputs[3], {n, k}, "the weight");
  if (has_bias) require_shape(kName, inputs[4], {n}, "the bias");
  TensorType y{output, inputs[0].shape};
  y.shape[y.shape.rank() - 1] = n;
  return {y};
}

std::int64_t LayerNormLinear::flop(std::span<const TensorType> inputs, std::span<const TensorType> outputs) const {
  return 2 * outputs[0].elements() * inputs[3].shape[1] + 8 * inputs[0].elements();
}

std::string LayerNormLinear::text() const {
  std::string text = has_bias ? "bias" : "no bias";
  if (activation != ActivationKind::none) text += ", " + std::string(name_of(activation));
  if (compute != DType::f32) text += ", " + std::string(edgelab::name_of(compute));
  return text;
}

std::span<const Implementation> LayerNormLinear::implementations() {
  static constexpr Implementation list[] = {{"tile", layer_norm_linear_tile}, {"reference", layer_norm_linear_reference}};
  return list;
}

}  // namespace edgelab::kernels
