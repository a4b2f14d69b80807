#include "kernels/linear/linear.hpp"
#include "kernels/linear_backward/linear_backward_data.hpp"
#include "kernels/linear_backward/linear_backward_weights.hpp"
#include "train/gradients/backward.hpp"
#include "train/gradients/rules.hpp"

namespace edgelab::train {

void linear_gradient(Backward& backward, const Node& node) {
  const auto& linear = *node.op.as<kernels::Linear>();
  if (linear.activation != kernels::ActivationKind::none || linear.has_residual) refuse_fused(node);
  const ValueId x = node.inputs[0], weight = node.inputs[1], dy = backward.incoming(node.outputs[0]);
  const bool bias = linear.has_bias && backward.wanted(node.inputs[2]);
  // The weights first: what they need of the forward pass is then free.
  if (backward.wanted(weight) || bias) {
    const std::vector<ValueId> gradients = backward.apply(kernels::LinearBackwardWeights{.has_bias = bias, .compute = linear.compute}, {backward.saved(x), dy});
    if (backward.wanted(weight)) backward.give(weight, gradients[0]);
    if (bias) backward.give(node.inputs[2], gradients[1]);
  }
  if (backward.wanted(x)) backward.give(x, backward.add(kernels::LinearBackwardData{.compute = linear.compute}, {dy, weight}));
}

}  // namespace edgelab::train
