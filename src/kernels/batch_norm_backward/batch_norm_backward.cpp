#include "kernels/batch_norm_backward/batch_norm_backward.hpp"

#include "kernels/batch_norm/batch_norm.hpp"

namespace edgelab::kernels {

std::vector<TensorType> BatchNormBackward::infer(std::span<const TensorType> inputs) const {
  require_inputs(kName, inputs, 6, 6);
  const TensorType y = BatchNorm{.epsilon = epsilon, .activation = activation}.infer(inputs.first(5)).front();
  require_shape(kName, inputs[5], y.shape, "the output's gradient");
  const TensorType channels{DType::f32, {y.shape[1]}};
  return {inputs[0], channels, channels};
}

std::int64_t BatchNormBackward::flop(std::span<const TensorType> inputs, std::span<const TensorType>) const {
  return (frozen ? 6 : 10) * inputs[0].elements();  // n 2, the sums 3, dx 1 or 5
}

std::string BatchNormBackward::text() const {
  return BatchNorm{.epsilon = epsilon, .activation = activation}.text() + (frozen ? ", frozen" : "");
}

std::span<const Implementation> BatchNormBackward::implementations() {
  static constexpr Implementation list[] = {{"simd", batch_norm_backward_simd}, {"reference", batch_norm_backward_reference}};
  return list;
}

}  // namespace edgelab::kernels
