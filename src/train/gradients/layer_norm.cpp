#include "kernels/layer_norm/layer_norm.hpp"
#include "kernels/layer_norm_backward/layer_norm_backward.hpp"
#include "train/gradients/backward.hpp"
#include "train/gradients/rules.hpp"

namespace edgelab::train {

void layer_norm_gradient(Backward& backward, const Node& node) {
  const kernels::LayerNormBackward op{.epsilon = node.op.as<kernels::LayerNorm>()->epsilon};
  const std::vector<ValueId> gradients = backward.apply(op, {backward.saved(node.inputs[0]), node.inputs[1], backward.incoming(node.outputs[0])});
  for (std::size_t i = 0; i < 3; ++i) {
    if (backward.wanted(node.inputs[i])) backward.give(node.inputs[i], gradients[i]);
  }
}

}  // namespace edgelab::train
