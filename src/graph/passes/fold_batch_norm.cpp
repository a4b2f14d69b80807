#include <cmath>

#include "graph/passes/passes.hpp"
#include "graph/passes/rewrite.hpp"
#include "kernels/batch_norm/batch_norm.hpp"
#include "kernels/conv2d/conv2d.hpp"

namespace edgelab::graph {
namespace {

using kernels::ActivationKind;
using kernels::BatchNorm;
using kernels::Conv2d;

bool known(const Graph& graph, const std::vector<ValueId>& ids, std::size_t first) {
  for (std::size_t i = first; i < ids.size(); ++i) {
    if (!graph.value(ids[i]).known()) return false;
  }
  return true;
}

bool matches(const Graph& graph, const Node& producer, const Node& consumer, std::size_t input) {
  const auto* conv = producer.op.as<Conv2d>();
  return conv != nullptr && consumer.op.as<BatchNorm>() != nullptr && input == 0 && conv->activation == ActivationKind::none &&
         !conv->has_residual && known(graph, producer.inputs, 1) && known(graph, consumer.inputs, 1);
}

ValueId emit(Rewrite& rewrite, const Node& producer, const Node& consumer, std::size_t) {
  const Graph& from = rewrite.from();
  Conv2d conv = *producer.op.as<Conv2d>();
  const double epsilon = consumer.op.as<BatchNorm>()->epsilon;
  const Value& old_weight = from.value(producer.inputs[1]);
  const Tensor old_bias = conv.has_bias ? from.value(producer.inputs[2]).data : Tensor();
  const auto values = [&](std::size_t i) { return from.value(consumer.inputs[i]).data.as<float>(); };
  const auto gamma = values(1), beta = values(2), mean = values(3), variance = values(4);

  Tensor weight = old_weight.data.clone();
  Tensor bias(DType::f32, from.type(consumer.inputs[2]).shape);
  const auto w = weight.as<float>();
  const auto b = bias.as<float>();
  const std::size_t step = w.size() / b.size();
  for (std::size_t channel = 0; channel < b.size(); ++channel) {
    const double scale = static_cast<double>(gamma[channel]) / std::sqrt(static_cast<double>(variance[channel]) + epsilon);
    for (std::size_t i = channel * step; i < (channel + 1) * step; ++i) w[i] = static_cast<float>(static_cast<double>(w[i]) * scale);
    const double shift = old_bias.defined() ? static_cast<double>(old_bias.as<float>()[channel]) : 0.0;
    b[channel] = static_cast<float>(static_cast<double>(beta[channel]) + (shift - static_cast<double>(mean[channel])) * scale);
  }
  const std::string origin = consumer.name + " folded in";
  const ValueId new_weight = rewrite.to().parameter(old_weight.name, old_weight.type, weight);
  const ValueId new_bias = rewrite.to().parameter(from.value(consumer.inputs[2]).name, from.type(consumer.inputs[2]), bias);
  rewrite.to().set_origin(new_weight, origin);
  rewrite.to().set_origin(new_bias, origin);
  conv.has_bias = true;
  conv.activation = consumer.op.as<BatchNorm>()->activation;
  return rewrite.to().add(producer.name, conv, {rewrite.carry(producer.inputs[0]), new_weight, new_bias});
}

}  // namespace

Graph fold_batch_norm(const Graph& graph) { return merge_pairs(graph, {matches, emit}); }

}  // namespace edgelab::graph
