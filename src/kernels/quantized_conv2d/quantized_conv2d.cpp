#include "kernels/quantized_conv2d/quantized_conv2d.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "kernels/conv2d/conv2d.hpp"

namespace edgelab::kernels {

std::vector<TensorType> QuantizedConv2d::infer(std::span<const TensorType> inputs) const {
  const std::size_t count = residual ? 5 : 4;
  require_inputs(kName, inputs, count, count);
  if (inputs[1].dtype != DType::s8 || (inputs[0].dtype != DType::u8 && inputs[0].dtype != DType::f32)) {
    throw Error(ErrorKind::data, "quantized_conv2d: types that don't fit").got(std::string(name_of(inputs[0].dtype)) + ", " + std::string(name_of(inputs[1].dtype)));
  }
  if (residual && (!output || inputs[4].dtype != DType::u8)) throw Error(ErrorKind::data, "quantized_conv2d: a residual that is not between bytes");
  if (activation == ActivationKind::gelu) throw Error(ErrorKind::data, "quantized_conv2d: gelu has no bounds");
  const Conv2d shapes{.stride = stride, .padding = padding, .groups = groups, .has_bias = true};
  const TensorType images[] = {{DType::f32, inputs[0].shape}, inputs[1], inputs[3]};
  const Shape y = shapes.infer(images).front().shape;
  require_shape(kName, inputs[2], {y[1]}, "the weight's scale");
  if (residual) require_shape(kName, inputs[4], y, "the residual");
  return {{output ? DType::u8 : DType::f32, y}};
}

std::int64_t QuantizedConv2d::flop(std::span<const TensorType> inputs, std::span<const TensorType> outputs) const {
  const Shape& w = inputs[1].shape;
  return 2 * outputs[0].elements() * w[1] * w[2] * w[3];
}

std::string QuantizedConv2d::text() const {
  std::string text = "stride " + std::to_string(stride) + ", padding " + std::to_string(padding);
  if (groups > 1) text += ", groups " + std::to_string(groups);
  if (activation != ActivationKind::none) text += ", " + std::string(name_of(activation));
  if (residual) text += ", residual";
  return text + (output ? ", to uint8" : ", to fp32");
}

std::span<const Implementation> QuantizedConv2d::implementations() {
  static constexpr Implementation list[] = {{"tile", quantized_conv2d_tile}, {"reference", quantized_conv2d_reference}};
  return list;
}

tile_gemm::Requantize bounds_of(const U8Grid& grid, ActivationKind activation) {
  tile_gemm::Requantize bounds = grid.bounds();
  if (activation == ActivationKind::relu || activation == ActivationKind::relu6) bounds.low = grid.zero_point;
  if (activation == ActivationKind::relu6) {
    bounds.high = std::min(255, tile_gemm::rounded(static_cast<float>(6.0 / static_cast<double>(grid.scale))) + grid.zero_point);
  }
  return bounds;
}

}  // namespace edgelab::kernels
