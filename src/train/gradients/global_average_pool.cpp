#include "kernels/pool/global_average_pool_backward.hpp"
#include "train/gradients/backward.hpp"
#include "train/gradients/rules.hpp"

namespace edgelab::train {

void global_average_pool_gradient(Backward& backward, const Node& node) {
  const Shape shape = backward.type(node.inputs[0]).shape;
  backward.give(node.inputs[0], backward.add(kernels::GlobalAveragePoolBackward{.height = shape[2], .width = shape[3]}, {backward.incoming(node.outputs[0])}));
}

}  // namespace edgelab::train
