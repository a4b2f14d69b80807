#include "kernels/softmax_cross_entropy/softmax_cross_entropy.hpp"

#include <cstdio>

#include "core/error.hpp"

namespace edgelab::kernels {

std::vector<TensorType> SoftmaxCrossEntropy::infer(std::span<const TensorType> inputs) const {
  require_inputs(kName, inputs, 2, 2);
  require_rank(kName, inputs[0], 2, "the logits");
  require_shape(kName, inputs[1], inputs[0].shape, "the targets");
  if (!(temperature > 0)) throw Error(ErrorKind::data, "softmax_cross_entropy: the temperature must be above 0").got(text());
  return {{DType::f32, {inputs[0].shape[0]}}, {DType::f32, inputs[0].shape}};
}

std::int64_t SoftmaxCrossEntropy::flop(std::span<const TensorType> inputs, std::span<const TensorType>) const { return 8 * inputs[0].elements(); }

std::string SoftmaxCrossEntropy::text() const {
  char text[40];
  std::snprintf(text, sizeof text, "temperature %g", temperature);
  return text;
}

std::span<const Implementation> SoftmaxCrossEntropy::implementations() {
  static constexpr Implementation list[] = {{"reference", softmax_cross_entropy_reference}};
  return list;
}

}  // namespace edgelab::kernels
