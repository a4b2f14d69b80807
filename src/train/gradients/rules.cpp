#include "train/gradients/rules.hpp"

#include "train/gradients/backward.hpp"

namespace edgelab::train {

std::span<const GradientRule> gradient_rules() {
  static constexpr GradientRule list[] = {
      {"activation", activation_gradient},
      {"all_reduce", all_reduce_gradient},
      {"attention", attention_gradient},
      {"batch_norm", batch_norm_gradient},
      {"batch_norm_training", batch_norm_training_gradient},
      {"binary", binary_gradient},
      {"concat_tokens", concat_tokens_gradient},
      {"conv2d", conv2d_gradient},
      {"fake_quantize", fake_quantize_gradient},
      {"global_average_pool", global_average_pool_gradient},
      {"gradient_sum", gradient_sum_gradient},
      {"layer_norm", layer_norm_gradient},
      {"linear", linear_gradient},
      {"select_token", select_token_gradient},
      {"softmax_cross_entropy", softmax_cross_entropy_gradient},
      {"to_tokens", to_tokens_gradient},
  };
  return list;
}

}  // namespace edgelab::train
