#include "kernels/fake_quantize/fake_quantize.hpp"
#include "train/gradients/backward.hpp"
#include "train/gradients/rules.hpp"

namespace edgelab::train {

void fake_quantize_gradient(Backward& backward, const Node& node) {
  const auto& op = *node.op.as<kernels::FakeQuantize>();
  const std::vector<ValueId> gradients =
      backward.apply(kernels::FakeQuantizeBackward{op}, {backward.saved(node.inputs[0]), node.inputs[1], backward.incoming(node.outputs[0])});
  for (std::size_t i = 0; i < 2; ++i) {
    if (backward.wanted(node.inputs[i])) backward.give(node.inputs[i], gradients[i]);
  }
}

}  // namespace edgelab::train
