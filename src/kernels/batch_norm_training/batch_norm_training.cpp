#include "kernels/batch_norm_training/batch_norm_training.hpp"

#include "core/error.hpp"
#include "kernels/batch_norm/batch_norm.hpp"

namespace edgelab::kernels {

std::vector<TensorType> BatchNormTraining::infer(std::span<const TensorType> inputs) const {
  require_inputs(kName, inputs, 3, 3);
  require_rank(kName, inputs[0], 4, "the input");
  const Shape channels{inputs[0].shape[1]};
  require_shape(kName, inputs[1], channels, "the weight");
  require_shape(kName, inputs[2], channels, "the bias");
  if (inputs[0].elements() == 0) throw Error(ErrorKind::data, "batch_norm_training: no pixels have no mean").got(inputs[0].shape.text());
  const TensorType statistic{DType::f32, channels};
  return {inputs[0], statistic, statistic};
}

std::int64_t BatchNormTraining::flop(std::span<const TensorType> inputs, std::span<const TensorType>) const {
  return 6 * inputs[0].elements();  // the mean 1, the variance 3, the result 2
}

std::string BatchNormTraining::text() const { return BatchNorm{.epsilon = epsilon, .activation = activation}.text(); }

std::span<const Implementation> BatchNormTraining::implementations() {
  static constexpr Implementation list[] = {{"simd", batch_norm_training_simd}, {"reference", batch_norm_training_reference}};
  return list;
}

}  // namespace edgelab::kernels
