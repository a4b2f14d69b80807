#include "train/gradients/backward.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "graph/passes/rewrite.hpp"
#include "kernels/activation/activation.hpp"
#include "kernels/batch_norm/batch_norm.hpp"
#include "kernels/batch_norm_training/batch_norm_training.hpp"
#include "kernels/binary/binary.hpp"
#include "kernels/layer_norm/layer_norm.hpp"
#include "kernels/message/all_reduce.hpp"
#include "kernels/softmax_cross_entropy/softmax_cross_entropy.hpp"
#include "kernels/tokens/tokens.hpp"

namespace edgelab::train {

namespace {

std::size_t index_of(ValueId id) { return static_cast<std::size_t>(id.index); }

const GradientRule* rule_of(const Node& node) {
  const auto rules = gradient_rules();
  const auto found = std::find_if(rules.begin(), rules.end(), [&](const GradientRule& rule) { return rule.op == node.op.name(); });
  return found == rules.end() ? nullptr : &*found;
}

bool is_loss(const Node& node) { return node.op.as<kernels::SoftmaxCrossEntropy>() != nullptr; }

}  // namespace

void refuse_fused(const Node& node) {
  throw Error(ErrorKind::data, "layer " + node.name + ": a fused " + std::string(node.op.name()) + " can't be differentiated")
      .got(node.op.text())
      .hint("differentiate the graph as the model is written, and fuse afterwards");
}

Backward::Backward(const Graph& forward, std::span<const ValueId> wanted, Recompute recompute)
    : forward_(forward),
      graph_(forward),
      recompute_(recompute),
      producers_(graph::producers_of(forward)),
      active_(forward.values().size(), false),
      gradients_(forward.values().size()),
      again_(forward.values().size()) {
  mark_active(wanted);
}

void Backward::mark_active(std::span<const ValueId> wanted) {
  for (const ValueId id : wanted) active_[index_of(id)] = true;
  for (const Node& node : forward_.nodes()) {
    const bool depends = std::any_of(node.inputs.begin(), node.inputs.end(), [&](ValueId id) { return active_[index_of(id)]; });
    for (const ValueId id : node.outputs) active_[index_of(id)] = depends;
  }
}

void Backward::take_in(ValueId forward) { give(forward, graph_.input("gradient of " + forward_.value(forward).name, forward_.type(forward))); }

void Backward::run() {
  const auto& nodes = forward_.nodes();
  for (std::size_t n = nodes.size(); n-- > 0;) {
    const Node& node = nodes[n];
    const bool reached = is_loss(node) || std::any_of(node.outputs.begin(), node.outputs.end(), [&](ValueId id) { return incoming(id).valid(); });
    const bool needed = std::any_of(node.inputs.begin(), node.inputs.end(), [&](ValueId id) { return wanted(id); });
    if (!reached || !needed) continue;
    const GradientRule* rule = rule_of(node);
    if (rule == nullptr) {
      throw Error(ErrorKind::data, "layer " + node.name + ": the op " + std::string(node.op.name()) + " has no gradient");
    }
    layer_ = node.name;
    rule->emit(*this, node);
  }
}

ValueId Backward::gradient_of(ValueId wanted) const {
  const ValueId gradient = incoming(wanted);
  if (gradient.valid()) return gradient;
  throw Error(ErrorKind::data, "no loss depends on " + forward_.value(wanted).name).hint("leave it out of what is to be trained");
}

void Backward::give(ValueId input, ValueId gradient) {
  ValueId& sum = gradients_[index_of(input)];
  sum = sum.valid() ? add(kernels::Binary{kernels::Binary::Kind::add}, {sum, gradient}) : gradient;
}

std::vector<ValueId> Backward::apply(graph::Op op, std::initializer_list<ValueId> inputs) {
  return graph_.apply(layer_, std::move(op), std::span(inputs.begin(), inputs.size()));
}

// Whether the outputs of a forward node stay in memory until the backward pass reads them.
bool Backward::is_kept(const Node& producer) const {
  const auto* norm = producer.op.as<kernels::BatchNormTraining>();
  const auto* frozen = producer.op.as<kernels::BatchNorm>();
  if (producer.op.as<kernels::AllReduce>() != nullptr) return true;  // a message once more costs more than keeping what it brought
  switch (recompute_) {
    case Recompute::nothing: return true;
    case Recompute::cheap: return producer.op.as<kernels::Activation>() == nullptr && producer.op.as<kernels::LayerNorm>() == nullptr && !norm && !frozen;
    // What runs from block to block: sums with a shortcut, and the bottlenecks of MobileNetV2, which end in a normalisation
    // without activation.
    case Recompute::blocks: {
      const bool bottleneck = (norm && norm->activation == kernels::ActivationKind::none) || (frozen && frozen->activation == kernels::ActivationKind::none);
      return bottleneck || producer.op.as<kernels::Binary>() != nullptr || producer.op.as<kernels::ConcatTokens>() != nullptr;
    }
  }
  return true;
}

ValueId Backward::saved(ValueId forward) {
  if (recompute_ == Recompute::nothing) return forward;
  if (again_[index_of(forward)].valid()) return again_[index_of(forward)];
  const Node* producer = producers_[index_of(forward)];
  if (producer == nullptr || is_kept(*producer)) return forward;
  if (const auto* norm = producer->op.as<kernels::BatchNormTraining>()) {
    // The batch's statistics are a few numbers: kept, so that they are not computed twice.
    if (forward != producer->outputs[0]) return forward;
    const ValueId x = saved(producer->inputs[0]);
    return again_[index_of(forward)] = graph_.add(producer->name, kernels::BatchNorm{.epsilon = norm->epsilon, .activation = norm->activation},
                                                  {x, producer->inputs[1], producer->inputs[2], producer->outputs[1], producer->outputs[2]});
  }
  std::vector<ValueId> inputs;
  for (const ValueId id : producer->inputs) inputs.push_back(saved(id));
  const std::vector<ValueId> outputs = graph_.apply(producer->name, producer->op, inputs);
  for (std::size_t i = 0; i < outputs.size(); ++i) again_[index_of(producer->outputs[i])] = outputs[i];
  return again_[index_of(forward)];
}

}  // namespace edgelab::train
