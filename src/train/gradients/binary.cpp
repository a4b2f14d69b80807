#include "kernels/binary/binary.hpp"
#include "kernels/sum_to/sum_to.hpp"
#include "train/gradients/backward.hpp"
#include "train/gradients/rules.hpp"

namespace edgelab::train {

using kernels::Binary;

// The second operand may have been broadcast: its gradient is then a sum.
void binary_gradient(Backward& backward, const Node& node) {
  const ValueId a = node.inputs[0], b = node.inputs[1], dy = backward.incoming(node.outputs[0]);
  const bool product = node.op.as<Binary>()->kind == Binary::Kind::multiply;
  if (backward.wanted(a)) backward.give(a, product ? backward.add(Binary{Binary::Kind::multiply}, {dy, backward.saved(b)}) : dy);
  if (!backward.wanted(b)) return;
  const ValueId each = product ? backward.add(Binary{Binary::Kind::multiply}, {dy, backward.saved(a)}) : dy;
  const Shape shape = backward.type(b).shape;
  backward.give(b, shape == backward.type(a).shape ? each : backward.add(kernels::SumTo{shape}, {each}));
}

}  // namespace edgelab::train
