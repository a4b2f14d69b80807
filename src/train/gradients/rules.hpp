#pragma once

#include "graph/graph.hpp"

// The rule of each op, in a file of its name; of the messages in message.cpp.
namespace edgelab::train {

class Backward;

void activation_gradient(Backward& backward, const graph::Node& node);
void all_reduce_gradient(Backward& backward, const graph::Node& node);
void attention_gradient(Backward& backward, const graph::Node& node);
void batch_norm_gradient(Backward& backward, const graph::Node& node);
void batch_norm_training_gradient(Backward& backward, const graph::Node& node);
void binary_gradient(Backward& backward, const graph::Node& node);
void concat_tokens_gradient(Backward& backward, const graph::Node& node);
void conv2d_gradient(Backward& backward, const graph::Node& node);
void fake_quantize_gradient(Backward& backward, const graph::Node& node);
void global_average_pool_gradient(Backward& backward, const graph::Node& node);
void gradient_sum_gradient(Backward& backward, const graph::Node& node);
void layer_norm_gradient(Backward& backward, const graph::Node& node);
void linear_gradient(Backward& backward, const graph::Node& node);
void select_token_gradient(Backward& backward, const graph::Node& node);
void softmax_cross_entropy_gradient(Backward& backward, const graph::Node& node);
void to_tokens_gradient(Backward& backward, const graph::Node& node);

}  // namespace edgelab::train
