#include "kernels/linear_backward/linear_backward_data.hpp"

#include "core/error.hpp"

namespace edgelab::kernels {

std::vector<TensorType> LinearBackwardData::infer(std::span<const TensorType> inputs) const {
  const std::size_t count = activation == ActivationKind::none ? 2 : 3;
  require_inputs(kName, inputs, count, count);
  require_rank(kName, inputs[1], 2, "the weight");
  const Shape& dy = inputs[0].shape;
  const Shape& w = inputs[1].shape;
  if (dy.rank() < 1 || dy.back() != w[0]) {
    throw Error(ErrorKind::data, "linear_backward_data: gradient and weight don't fit").got("gradient " + dy.text() + ", weight " + w.text());
  }
  TensorType output{DType::f32, dy};
  output.shape[dy.rank() - 1] = w[1];
  if (count == 3) require_shape(kName, inputs[2], output.shape, "the activation's input");
  return {output};
}

std::int64_t LinearBackwardData::flop(std::span<const TensorType> inputs, std::span<const TensorType> outputs) const {
  return 2 * outputs[0].elements() * inputs[1].shape[0];
}

std::string LinearBackwardData::text() const {
  std::string text;
  if (activation != ActivationKind::none) text = "through " + std::string(name_of(activation));
  if (compute != DType::f32) text += (text.empty() ? "" : ", ") + std::string(name_of(compute));
  return text;
}

std::span<const Implementation> LinearBackwardData::implementations() {
  static constexpr Implementation list[] = {{"tile", linear_backward_data_tile}, {"reference", linear_backward_data_reference}};
  return list;
}

}  // namespace edgelab::kernels
