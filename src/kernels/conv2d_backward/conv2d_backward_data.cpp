#include "kernels/conv2d_backward/conv2d_backward_data.hpp"

namespace edgelab::kernels {

Conv2d Conv2dBackwardData::forward() const { return {.stride = stride, .padding = padding, .groups = groups, .compute = compute}; }

std::vector<TensorType> Conv2dBackwardData::infer(std::span<const TensorType> inputs) const {
  require_inputs(kName, inputs, 2, 2);
  require_rank(kName, inputs[0], 4, "the output's gradient");
  require_rank(kName, inputs[1], 4, "the weight");
  const TensorType x{inputs[0].dtype, {inputs[0].shape[0], inputs[1].shape[1] * groups, height, width}};
  const TensorType forward_inputs[] = {x, inputs[1]};
  require_shape(kName, inputs[0], forward().infer(forward_inputs).front().shape, "the output's gradient");
  return {x};
}

std::int64_t Conv2dBackwardData::flop(std::span<const TensorType> inputs, std::span<const TensorType>) const {
  const Shape& w = inputs[1].shape;
  return 2 * inputs[0].elements() * w[1] * w[2] * w[3];
}

std::string Conv2dBackwardData::text() const { return forward().text() + ", to " + std::to_string(height) + "×" + std::to_string(width); }

std::span<const Implementation> Conv2dBackwardData::implementations() {
  static constexpr Implementation list[] = {
      {"tile", conv2d_backward_data_tile}, {"onednn", conv2d_backward_data_onednn}, {"reference", conv2d_backward_data_reference}};
  return list;
}

}  // namespace edgelab::kernels
