#include "kernels/tokens/tokens.hpp"
#include "train/gradients/backward.hpp"
#include "train/gradients/rules.hpp"

namespace edgelab::train {

void select_token_gradient(Backward& backward, const Node& node) {
  const kernels::PlaceToken op{.index = node.op.as<kernels::SelectToken>()->index, .tokens = backward.type(node.inputs[0]).shape[1]};
  backward.give(node.inputs[0], backward.add(op, {backward.incoming(node.outputs[0])}));
}

}  // namespace edgelab::train
