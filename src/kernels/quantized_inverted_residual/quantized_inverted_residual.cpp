#include "kernels/quantized_inverted_residual/quantized_inverted_residual.hpp"

#include "core/error.hpp"
#include "kernels/conv2d/conv2d.hpp"

namespace edgelab::kernels {

std::vector<TensorType> QuantizedInvertedResidual::infer(std::span<const TensorType> inputs) const {
  if (convolutions.size() != 2 && convolutions.size() != 3) throw Error(ErrorKind::data, "quantized_inverted_residual: neither two nor three convolutions");
  require_inputs(kName, inputs, 1 + 3 * convolutions.size(), 1 + 3 * convolutions.size());
  TensorType x = inputs[0];
  for (std::size_t i = 0; i < convolutions.size(); ++i) {
    const QuantizedConv2d& conv = convolutions[i];
    const Conv2d shapes{.stride = conv.stride, .padding = conv.padding, .groups = conv.groups};
    const Shape& w = inputs[weight_input(i)].shape;
    const bool last = i + 1 == convolutions.size(), before_last = i + 2 == convolutions.size();
    if (!conv.output || (conv.residual && !last)) throw Error(ErrorKind::data, "quantized_inverted_residual: a value within that is no byte").got(conv.text());
    if (w.rank() != 4 || (last && !is_pointwise(shapes, w)) || (before_last && !is_depthwise_3x3(shapes, w)) || (!last && !before_last && conv.groups != 1)) {
      throw Error(ErrorKind::data, "quantized_inverted_residual: not the block's convolutions").got(conv.text());
    }
    const std::vector<TensorType> types = inputs_of(i, inputs, x);
    x = conv.infer(types).front();
  }
  return {x};
}

std::int64_t QuantizedInvertedResidual::flop(std::span<const TensorType> inputs, std::span<const TensorType>) const {
  std::int64_t flop = 0;
  TensorType x = inputs[0];
  for (std::size_t i = 0; i < convolutions.size(); ++i) {
    const std::vector<TensorType> types = inputs_of(i, inputs, x), outputs = convolutions[i].infer(types);
    flop += convolutions[i].flop(types, outputs);
    x = outputs.front();
  }
  return flop;
}

std::string QuantizedInvertedResidual::text() const {
  std::string text = "stride " + std::to_string(depthwise().stride);
  if (!expand()) text += ", no expansion";
  if (expand() && (convolutions.front().stride != 1 || convolutions.front().padding != 0)) {
    text += ", expansion by stride " + std::to_string(convolutions.front().stride) + ", padding " + std::to_string(convolutions.front().padding);
  }
  if (project().residual) text += ", residual";
  return text;
}

std::span<const Implementation> QuantizedInvertedResidual::implementations() {
  static constexpr Implementation list[] = {{"tile", quantized_inverted_residual_tile}, {"reference", quantized_inverted_residual_reference}};
  return list;
}

}  // namespace edgelab::kernels
