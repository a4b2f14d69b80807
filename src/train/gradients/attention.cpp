#include "kernels/attention/attention.hpp"
#include "kernels/attention_backward/attention_backward.hpp"
#include "train/gradients/backward.hpp"
#include "train/gradients/rules.hpp"

namespace edgelab::train {

// The bias, if there is one, is a mask: it gets no gradient.
void attention_gradient(Backward& backward, const Node& node) {
  const auto& attention = *node.op.as<kernels::Attention>();
  if (!attention.with_log_sum_exp) refuse_fused(node);
  const kernels::AttentionBackward gradient{
      .heads = attention.heads, .scale = attention.scale, .compute = attention.compute, .causal = attention.causal, .has_bias = attention.has_bias};
  const ValueId qkv = backward.saved(node.inputs[0]), y = backward.saved(node.outputs[0]), log_sum_exp = backward.saved(node.outputs[1]);
  const ValueId dy = backward.incoming(node.outputs[0]);
  backward.give(node.inputs[0], attention.has_bias ? backward.add(gradient, {qkv, y, log_sum_exp, dy, node.inputs[1]})
                                                   : backward.add(gradient, {qkv, y, log_sum_exp, dy}));
}

}  // namespace edgelab::train
