#include "kernels/inverted_residual/inverted_residual.hpp"

#include "core/error.hpp"

namespace edgelab::kernels {

std::vector<TensorType> InvertedResidual::infer(std::span<const TensorType> inputs) const {
  const std::size_t count = project_input() + 2;
  require_inputs(kName, inputs, count, count);
  require_rank(kName, inputs[0], 4, "the input");
  require_rank(kName, inputs[depthwise_input()], 4, "the depthwise weight");
  require_rank(kName, inputs[project_input()], 4, "the projection's weight");
  const Shape& x = inputs[0].shape;
  const std::int64_t hidden = inputs[depthwise_input()].shape[0], out = inputs[project_input()].shape[0];
  std::int64_t height = x[2], width = x[3];
  if (expand) {
    require_rank(kName, inputs[1], 4, "the expansion's weight");
    const Shape& w = inputs[1].shape;
    require_shape(kName, inputs[1], {hidden, x[1], w[2], w[3]}, "the expansion's weight");
    require_shape(kName, inputs[2], {hidden}, "the expansion's bias");
    if (expand_stride < 1 || expand_padding < 0) throw Error(ErrorKind::data, "inverted_residual: the settings make no sense").got(text());
    if (height + 2 * expand_padding < w[2] || width + 2 * expand_padding < w[3]) {
      throw Error(ErrorKind::data, "inverted_residual: the image is smaller than the kernel").got(x.text());
    }
    height = expanded_extent(height, w[2]), width = expanded_extent(width, w[3]);
  }
  require_shape(kName, inputs[depthwise_input()], {expand ? hidden : x[1], 1, 3, 3}, "the depthwise weight");
  require_shape(kName, inputs[depthwise_input() + 1], {hidden}, "the depthwise bias");
  require_shape(kName, inputs[project_input()], {out, hidden, 1, 1}, "the projection's weight");
  require_shape(kName, inputs[project_input() + 1], {out}, "the projection's bias");
  if (stride != 1 && stride != 2) throw Error(ErrorKind::data, "inverted_residual: the stride is neither 1 nor 2").got(std::to_string(stride));
  if (height < 1 || width < 1) throw Error(ErrorKind::data, "inverted_residual: the image is empty").got(x.text());
  if (has_residual && (stride != 1 || out != x[1] || height != x[2] || width != x[3])) {
    throw Error(ErrorKind::data, "inverted_residual: input and output of a block with a residual differ").got(text());
  }
  return {{inputs[0].dtype, {x[0], out, (height - 1) / stride + 1, (width - 1) / stride + 1}}};
}

std::int64_t InvertedResidual::flop(std::span<const TensorType> inputs, std::span<const TensorType> outputs) const {
  const Shape& x = inputs[0].shape;
  const Shape& y = outputs[0].shape;
  const std::int64_t hidden = inputs[depthwise_input()].shape[0], pixels = y[0] * y[2] * y[3];
  std::int64_t expansion = 0;
  if (expand) {
    const Shape& w = inputs[1].shape;
    expansion = x[0] * expanded_extent(x[2], w[2]) * expanded_extent(x[3], w[3]) * w.elements();
  }
  return 2 * (expansion + pixels * hidden * 9 + pixels * hidden * y[1]);
}

std::string InvertedResidual::text() const {
  std::string text = "stride " + std::to_string(stride);
  if (!expand) text += ", no expansion";
  if (expand_stride != 1 || expand_padding != 0) {
    text += ", expansion by stride " + std::to_string(expand_stride) + ", padding " + std::to_string(expand_padding);
  }
  if (has_residual) text += ", residual";
  if (compute != DType::f32) text += ", " + std::string(name_of(compute));
  return text;
}

std::span<const Implementation> InvertedResidual::implementations() {
  static constexpr Implementation list[] = {
      {"sparse", inverted_residual_sparse}, {"tile", inverted_residual_tile}, {"reference", inverted_residual_reference}};
  return list;
}

}  // namespace edgelab::kernels
