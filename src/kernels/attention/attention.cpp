#include "kernels/attention/attention.hpp"

#include <cmath>

#include "core/error.hpp"
#include "kernels/attention/problem.hpp"

namespace edgelab::kernels {
namespace {

void require_bias(const TensorType& bias, const Shape& qkv, int heads) {
  const Shape& b = bias.shape;
  const bool fits = b.rank() == 4 && (b[0] == 1 || b[0] == qkv[0]) && (b[1] == 1 || b[1] == heads) && b[2] == qkv[1] && b[3] == qkv[1];
  if (fits && bias.dtype == DType::f32) return;
  throw Error(ErrorKind::data, "attention: the bias doesn't fit")
      .got(std::string(name_of(bias.dtype)) + " " + b.text())
      .expected("fp32 [1 or samples, 1 or heads, tokens, tokens]");
}

}  // namespace

double Attention::effective_scale(std::int64_t width) const {
  return scale != 0.0 ? scale : 1.0 / std::sqrt(static_cast<double>(width) / heads);
}

std::vector<TensorType> Attention::infer(std::span<const TensorType> inputs) const {
  require_inputs(kName, inputs, has_bias ? 2 : 1, has_bias ? 2 : 1);
  require_rank(kName, inputs[0], 3, "the input");
  const Shape& qkv = inputs[0].shape;
  if (heads < 1 || qkv[2] % (3 * heads) != 0) {
    throw Error(ErrorKind::data, "attention: the width can't be split into queries, keys and values of that many heads")
        .got("width " + std::to_string(qkv[2]) + ", heads " + std::to_string(heads))
        .expected("a multiple of 3 x heads");
  }
  if (has_bias) require_bias(inputs[1], qkv, heads);
  std::vector<TensorType> outputs = {{inputs[0].dtype, {qkv[0], qkv[1], qkv[2] / 3}}};
  if (with_log_sum_exp) outputs.push_back({DType::f32, {qkv[0], heads, qkv[1]}});
  return outputs;
}

std::int64_t Attention::flop(std::span<const TensorType>, std::span<const TensorType> outputs) const {
  const Shape& y = outputs[0].shape;
  const std::int64_t pairs = causal ? y[1] * (y[1] + 1) / 2 : y[1] * y[1];
  return 4 * y[0] * pairs * y[2] + 5 * y[0] * heads * pairs;  // two products, and the softmax
}

std::string Attention::text() const {
  std::string text = std::to_string(heads) + " heads";
  if (compute != DType::f32) text += ", " + std::string(name_of(compute));
  if (causal) text += ", causal";
  if (has_bias) text += ", bias";
  if (with_log_sum_exp) text += ", log-sum-exp";
  if (algorithm != Algorithm::automatic) text += algorithm == Algorithm::naive ? ", naive" : ", flash";
  return text;
}

std::span<const Implementation> Attention::implementations() {
  static constexpr Implementation list[] = {{"flash", attention_flash}, {"onednn", attention_onednn}, {"reference", attention_reference}};
  return list;
}

AttentionProblem attention_problem(const Attention& settings, std::span<const TensorType> inputs) {
  const Shape& qkv = inputs[0].shape;
  AttentionProblem p;
  p.samples = qkv[0];
  p.tokens = p.queries = qkv[1];
  p.heads = settings.heads;
  p.head_width = qkv[2] / 3 / settings.heads;
  p.scale = settings.effective_scale(p.width());
  p.causal = settings.causal;
  p.type = inputs[0].dtype;
  p.compute = p.type == DType::bf16 ? DType::bf16 : settings.compute;
  p.has_bias = settings.has_bias;
  if (settings.has_bias) {
    const Shape& bias = inputs[1].shape;
    const std::int64_t matrix = p.tokens * p.tokens;
    p.bias_head_step = bias[1] == 1 ? 0 : matrix;
    p.bias_sample_step = bias[0] == 1 ? 0 : bias[1] * matrix;
  }
  return p;
}

}  // namespace edgelab::kernels
