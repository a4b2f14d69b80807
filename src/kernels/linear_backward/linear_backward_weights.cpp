#include "kernels/linear_backward/linear_backward_weights.hpp"

#include "core/error.hpp"

namespace edgelab::kernels {

std::vector<TensorType> LinearBackwardWeights::infer(std::span<const TensorType> inputs) const {
  require_inputs(kName, inputs, 2, 2);
  const Shape& x = inputs[0].shape;
  const Shape& dy = inputs[1].shape;
  bool fits = x.rank() >= 1 && dy.rank() == x.rank();
  for (int axis = 0; fits && axis + 1 < x.rank(); ++axis) fits = x[axis] == dy[axis];
  if (!fits) throw Error(ErrorKind::data, "linear_backward_weights: input and gradient don't fit").got("input " + x.text() + ", gradient " + dy.text());
  std::vector<TensorType> outputs = {{DType::f32, {dy.back(), x.back()}}};
  if (has_bias) outputs.push_back({DType::f32, {dy.back()}});
  return outputs;
}

std::int64_t LinearBackwardWeights::flop(std::span<const TensorType> inputs, std::span<const TensorType>) const {
  return 2 * inputs[0].elements() * inputs[1].shape.back() + (has_bias ? inputs[1].elements() : 0);
}

std::string LinearBackwardWeights::text() const {
  const std::string text = has_bias ? "bias" : "no bias";
  return compute == DType::f32 ? text : text + ", " + std::string(name_of(compute));
}

std::span<const Implementation> LinearBackwardWeights::implementations() {
  static constexpr Implementation list[] = {{"tile", linear_backward_weights_tile}, {"reference", linear_backward_weights_reference}};
  return list;
}

}  // namespace edgelab::kernels
