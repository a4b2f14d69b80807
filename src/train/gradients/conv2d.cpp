#include "kernels/conv2d/conv2d.hpp"
#include "kernels/conv2d_backward/conv2d_backward_data.hpp"
#include "kernels/conv2d_backward/conv2d_backward_weights.hpp"
#include "train/gradients/backward.hpp"
#include "train/gradients/rules.hpp"

namespace edgelab::train {

void conv2d_gradient(Backward& backward, const Node& node) {
  const auto& conv = *node.op.as<kernels::Conv2d>();
  if (conv.activation != kernels::ActivationKind::none || conv.has_residual) refuse_fused(node);
  const ValueId x = node.inputs[0], weight = node.inputs[1], dy = backward.incoming(node.outputs[0]);
  const bool bias = conv.has_bias && backward.wanted(node.inputs[2]);
  // The weights first: what they need of the forward pass is then free.
  if (backward.wanted(weight) || bias) {
    const Shape kernel = backward.type(weight).shape;
    const std::vector<ValueId> gradients = backward.apply(
        kernels::Conv2dBackwardWeights{.stride = conv.stride, .padding = conv.padding, .groups = conv.groups, .kernel_height = kernel[2],
                                       .kernel_width = kernel[3], .has_bias = bias, .compute = conv.compute},
        {backward.saved(x), dy});
    if (backward.wanted(weight)) backward.give(weight, gradients[0]);
    if (bias) backward.give(node.inputs[2], gradients[1]);
  }
  if (!backward.wanted(x)) return;
  const Shape shape = backward.type(x).shape;
  backward.give(x, backward.add(kernels::Conv2dBackwardData{.stride = conv.stride, .padding = conv.padding, .groups = conv.groups,
                                                            .height = shape[2], .width = shape[3], .compute = conv.compute},
                                {dy, weight}));
}

}  // namespace edgelab::train
