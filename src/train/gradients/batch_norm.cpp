#include "kernels/batch_norm/batch_norm.hpp"
#include "kernels/batch_norm_backward/batch_norm_backward.hpp"
#include "kernels/batch_norm_training/batch_norm_training.hpp"
#include "train/gradients/backward.hpp"
#include "train/gradients/rules.hpp"

namespace edgelab::train {

namespace {

void give_all(Backward& backward, const Node& node, const kernels::BatchNormBackward& op, ValueId mean, ValueId variance) {
  const ValueId x = backward.saved(node.inputs[0]), weight = node.inputs[1], bias = node.inputs[2];
  const std::vector<ValueId> gradients = backward.apply(op, {x, weight, bias, mean, variance, backward.incoming(node.outputs[0])});
  for (std::size_t i = 0; i < 3; ++i) {
    if (backward.wanted(node.inputs[i])) backward.give(node.inputs[i], gradients[i]);
  }
}

}  // namespace

// With running statistics: they are numbers like any others, and get no gradient.
void batch_norm_gradient(Backward& backward, const Node& node) {
  const auto& norm = *node.op.as<kernels::BatchNorm>();
  give_all(backward, node, {.epsilon = norm.epsilon, .activation = norm.activation, .frozen = true}, node.inputs[3], node.inputs[4]);
}

void batch_norm_training_gradient(Backward& backward, const Node& node) {
  const auto& norm = *node.op.as<kernels::BatchNormTraining>();
  give_all(backward, node, {.epsilon = norm.epsilon, .activation = norm.activation, .frozen = false}, node.outputs[1], node.outputs[2]);
}

}  // namespace edgelab::train
