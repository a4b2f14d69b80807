#include "kernels/layer_norm_backward/layer_norm_backward.hpp"

#include "kernels/layer_norm/layer_norm.hpp"

namespace edgelab::kernels {

std::vector<TensorType> LayerNormBackward::infer(std::span<const TensorType> inputs) const {
  require_inputs(kName, inputs, has_addend ? 4 : 3, has_addend ? 4 : 3);
  const TensorType row{DType::f32, {inputs[0].shape.back()}};
  require_shape(kName, inputs[1], row.shape, "the weight");
  require_shape(kName, inputs[2], inputs[0].shape, "the gradient");
  if (has_addend) require_shape(kName, inputs[3], inputs[0].shape, "the addend");
  return {{DType::f32, inputs[0].shape}, row, row};
}

std::int64_t LayerNormBackward::flop(std::span<const TensorType> inputs, std::span<const TensorType>) const { return 18 * inputs[0].elements(); }

std::string LayerNormBackward::text() const { return LayerNorm{epsilon}.text() + (has_addend ? ", addend" : ""); }

std::span<const Implementation> LayerNormBackward::implementations() {
  static constexpr Implementation list[] = {{"simd", layer_norm_backward_simd}, {"reference", layer_norm_backward_reference}};
  return list;
}

}  // namespace edgelab::kernels
