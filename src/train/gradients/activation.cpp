#include "kernels/activation/activation.hpp"
#include "kernels/activation_backward/activation_backward.hpp"
#include "train/gradients/backward.hpp"
#include "train/gradients/rules.hpp"

namespace edgelab::train {

void activation_gradient(Backward& backward, const Node& node) {
  const ValueId x = backward.saved(node.inputs[0]);
  backward.give(node.inputs[0], backward.add(kernels::ActivationBackward{node.op.as<kernels::Activation>()->kind}, {x, backward.incoming(node.outputs[0])}));
}

}  // namespace edgelab::train
