#include "kernels/conv2d/conv2d.hpp"

#include "core/error.hpp"

namespace edgelab::kernels {

std::vector<TensorType> Conv2d::infer(std::span<const TensorType> inputs) const {
  const std::size_t count = 2u + (has_bias ? 1u : 0u) + (has_residual ? 1u : 0u);
  require_inputs(kName, inputs, count, count);
  require_rank(kName, inputs[0], 4, "the input");
  require_rank(kName, inputs[1], 4, "the weight");
  const Shape& x = inputs[0].shape;
  const Shape& w = inputs[1].shape;
  if (groups < 1 || stride < 1 || padding < 0) throw Error(ErrorKind::data, "conv2d: the settings make no sense").got(text());
  if (x[1] != w[1] * groups || w[0] % groups != 0) {
    throw Error(ErrorKind::data, "conv2d: input channels, weight and groups don't fit")
        .got("input " + x.text() + ", weight " + w.text() + ", groups " + std::to_string(groups));
  }
  const auto extent = [&](int axis) { return (x[axis] + 2 * padding - w[axis]) / stride + 1; };
  if (x[2] + 2 * padding < w[2] || x[3] + 2 * padding < w[3]) {
    throw Error(ErrorKind::data, "conv2d: the image is smaller than the kernel").got(x.text()).expected("at least " + w.text());
  }
  const TensorType output{inputs[0].dtype, {x[0], w[0], extent(2), extent(3)}};
  if (has_bias) require_shape(kName, inputs[2], {w[0]}, "the bias");
  if (has_residual) require_shape(kName, inputs[residual_input()], output.shape, "the residual");
  return {output};
}

std::int64_t Conv2d::flop(std::span<const TensorType> inputs, std::span<const TensorType> outputs) const {
  const Shape& w = inputs[1].shape;
  return 2 * outputs[0].elements() * w[1] * w[2] * w[3];
}

std::string Conv2d::text() const {
  std::string text = "stride " + std::to_string(stride) + ", padding " + std::to_string(padding);
  if (groups > 1) text += ", groups " + std::to_string(groups);
  if (has_bias) text += ", bias";
  if (activation != ActivationKind::none) text += ", " + std::string(name_of(activation));
  if (has_residual) text += ", residual";
  if (compute != DType::f32) text += ", " + std::string(name_of(compute));
  return text;
}

std::span<const Implementation> Conv2d::implementations() {
  static constexpr Implementation list[] = {
      {"sparse", conv2d_sparse}, {"tile", conv2d_tile}, {"onednn", conv2d_onednn}, {"reference", conv2d_reference}};
  return list;
}

}  // namespace edgelab::kernels
