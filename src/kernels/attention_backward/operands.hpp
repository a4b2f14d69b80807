#pragma once

#include <vector>

#include "kernels/attention/problem.hpp"
#include "kernels/attention_backward/attention_backward.hpp"

// What both implementations of attention's gradient begin with.
namespace edgelab::kernels {

struct BackwardOperands {
  const std::byte* qkv;
  const std::byte* output;
  const float* log_sum_exp;
  const float* gradient;  // of the output
  const float* bias;      // or null
  float* qkv_gradient;
  std::byte* scratch;
};

inline AttentionProblem backward_problem(const CallSite& site) {
  const auto& settings = *site.op.as<AttentionBackward>();
  std::vector<TensorType> inputs = {site.inputs[0]};
  if (settings.has_bias) inputs.push_back(site.inputs[4]);
  return attention_problem(settings.forward(), inputs);
}

inline BackwardOperands backward_operands(const Buffers& buffers, std::span<const Tensor> constants) {
  const auto floats = [&](std::size_t input) { return reinterpret_cast<const float*>(input_bytes(buffers, constants, input)); };
  return {input_bytes(buffers, constants, 0), input_bytes(buffers, constants, 1), floats(2), floats(3),
          constants.size() > 4 ? floats(4) : nullptr, reinterpret_cast<float*>(buffers.outputs[0]), buffers.scratch};
}

}  // namespace edgelab::kernels
