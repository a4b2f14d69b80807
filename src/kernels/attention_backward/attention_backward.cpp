#include "kernels/attention_backward/attention_backward.hpp"

#include "core/error.hpp"

namespace edgelab::kernels {
namespace {

void require_f32(const TensorType& type, const char* what) {
  if (type.dtype == DType::f32) return;
  throw Error(ErrorKind::data, std::string("attention_backward: ") + what + " must be fp32").got(std::string(name_of(type.dtype)));
}

}  // namespace

Attention AttentionBackward::forward() const {
  return {.heads = heads, .scale = scale, .compute = compute, .causal = causal, .has_bias = has_bias, .with_log_sum_exp = true};
}

std::vector<TensorType> AttentionBackward::infer(std::span<const TensorType> inputs) const {
  require_inputs(kName, inputs, has_bias ? 5 : 4, has_bias ? 5 : 4);
  std::vector<TensorType> forward_inputs = {inputs[0]};
  if (has_bias) forward_inputs.push_back(inputs[4]);
  const std::vector<TensorType> given = forward().infer(forward_inputs);
  require_shape(kName, inputs[1], given[0].shape, "the output");
  require_shape(kName, inputs[2], given[1].shape, "the log-sum-exp");
  require_shape(kName, inputs[3], given[0].shape, "the gradient");
  require_f32(inputs[2], "the log-sum-exp");
  require_f32(inputs[3], "the gradient");
  if (inputs[1].dtype != inputs[0].dtype) throw Error(ErrorKind::data, "attention_backward: the output must be of the input's type");
  return {{DType::f32, inputs[0].shape}};
}

std::int64_t AttentionBackward::flop(std::span<const TensorType> inputs, std::span<const TensorType>) const {
  const Shape& y = inputs[1].shape;
  const std::int64_t pairs = causal ? y[1] * (y[1] + 1) / 2 : y[1] * y[1];
  return 10 * y[0] * pairs * y[2] + 7 * y[0] * heads * pairs;  // five products, and what happens to each score
}

std::string AttentionBackward::text() const { return forward().text(); }

std::span<const Implementation> AttentionBackward::implementations() {
  static constexpr Implementation list[] = {{"flash", attention_backward_flash}, {"reference", attention_backward_reference}};
  return list;
}

}  // namespace edgelab::kernels
