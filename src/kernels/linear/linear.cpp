#include "kernels/linear/linear.hpp"

#include "core/error.hpp"

namespace edgelab::kernels {

std::vector<TensorType> Linear::infer(std::span<const TensorType> inputs) const {
  const std::size_t count = 2u + (has_bias ? 1u : 0u) + (has_residual ? 1u : 0u);
  require_inputs(kName, inputs, count, count);
  require_rank(kName, inputs[1], 2, "the weight");
  const Shape& x = inputs[0].shape;
  const Shape& w = inputs[1].shape;
  if (x.rank() < 1 || x.back() != w[1]) {
    throw Error(ErrorKind::data, "linear: input and weight don't fit").got("input " + x.text() + ", weight " + w.text());
  }
  TensorType y{output, x};
  y.shape[x.rank() - 1] = w[0];
  if (has_bias) require_shape(kName, inputs[2], {w[0]}, "the bias");
  if (has_residual) require_shape(kName, inputs[residual_input()], y.shape, "the residual");
  return {y};
}

std::int64_t Linear::flop(std::span<const TensorType> inputs, std::span<const TensorType> outputs) const {
  return 2 * outputs[0].elements() * inputs[1].shape[1];
}

std::string Linear::text() const {
  std::string text = has_bias ? "bias" : "no bias";
  if (activation != ActivationKind::none) text += ", " + std::string(name_of(activation));
  if (has_residual) text += ", residual";
  if (compute != DType::f32) text += ", " + std::string(name_of(compute));
  if (output != DType::f32) text += ", to " + std::string(name_of(output));
  return text;
}

std::span<const Implementation> Linear::implementations() {
  static constexpr Implementation list[] = {{"sparse", linear_sparse}, {"tile", linear_tile}, {"onednn", linear_onednn}, {"reference", linear_reference}};
  return list;
}

}  // namespace edgelab::kernels
