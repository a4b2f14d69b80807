#include "kernels/softmax_cross_entropy/softmax_cross_entropy.hpp"
#include "train/gradients/backward.hpp"
#include "train/gradients/rules.hpp"

namespace edgelab::train {

// A root: the forward pass has computed its gradient with respect to the logits. Targets are given, and get none.
void softmax_cross_entropy_gradient(Backward& backward, const Node& node) { backward.give(node.inputs[0], node.outputs[1]); }

}  // namespace edgelab::train
