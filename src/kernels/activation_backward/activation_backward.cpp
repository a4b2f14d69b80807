#include "kernels/activation_backward/activation_backward.hpp"

namespace edgelab::kernels {

std::vector<TensorType> ActivationBackward::infer(std::span<const TensorType> inputs) const {
  require_inputs(kName, inputs, 2, 2);
  require_shape(kName, inputs[1], inputs[0].shape, "the gradient");
  return {{DType::f32, inputs[0].shape}};
}

std::int64_t ActivationBackward::flop(std::span<const TensorType>, std::span<const TensorType> outputs) const { return 2 * outputs[0].elements(); }

std::string ActivationBackward::text() const { return std::string(name_of(kind)); }

std::span<const Implementation> ActivationBackward::implementations() {
  static constexpr Implementation list[] = {{"simd", activation_backward_simd}, {"reference", activation_backward_reference}};
  return list;
}

}  // namespace edgelab::kernels
