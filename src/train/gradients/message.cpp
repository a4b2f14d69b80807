#include "kernels/message/all_reduce.hpp"
#include "kernels/message/gradient_sum.hpp"
#include "train/gradients/backward.hpp"
#include "train/gradients/rules.hpp"

namespace edgelab::train {

// Every rank has the whole sum, and from it the same gradient of it, which is that of each addend.
void all_reduce_gradient(Backward& backward, const Node& node) { backward.give(node.inputs[0], backward.incoming(node.outputs[0])); }

void gradient_sum_gradient(Backward& backward, const Node& node) {
  const auto& sum = *node.op.as<kernels::GradientSum>();
  const ValueId dy = backward.incoming(node.outputs[0]);
  backward.give(node.inputs[0], backward.add(kernels::AllReduce{backward.type(dy), true, sum.ranks, sum.transport}, {dy}));
}

}  // namespace edgelab::train
