#include "train/training_form.hpp"

#include "graph/passes/rewrite.hpp"
#include "kernels/activation/activation.hpp"
#include "kernels/attention/attention.hpp"
#include "kernels/batch_norm/batch_norm.hpp"
#include "kernels/batch_norm_training/batch_norm_training.hpp"
#include "kernels/binary/binary.hpp"
#include "kernels/reorder/reorder.hpp"
#include "kernels/softmax_cross_entropy/softmax_cross_entropy.hpp"

namespace edgelab::train {

namespace {

using graph::Graph;
using graph::Node;
using graph::Rewrite;
using graph::ValueId;
using kernels::ActivationKind;
using kernels::BatchNorm;

class Former {
 public:
  Former(const Graph& model, const TrainingFormSettings& settings)
      : model_(model), settings_(settings), rewrite_(model), consumers_(graph::consumers_of(model)), producers_(graph::producers_of(model)) {}

  TrainingForm form() {
    for (const Node& node : model_.nodes()) {
      if (node.op.as<BatchNorm>() != nullptr) {
        add_norm(node);
      } else if (const auto* attention = node.op.as<kernels::Attention>()) {
        kernels::Attention op = *attention;
        op.with_log_sum_exp = true;
        rewrite_.map(node.outputs[0], rewrite_.to().apply(node.name, op, rewrite_.carry(node.inputs)).front());
      } else if (!is_absorbed(node)) {
        rewrite_.copy(node);
      }
    }
    if (settings_.ends_in_losses) add_losses();
    TrainingForm result{{}, model_.outputs().size(), losses_.size(), std::move(statistics_), {}};
    if (settings_.ends_in_losses) {
      result.graph = rewrite_.finish();
    } else {
      result.handed_on = rewrite_.carry(model_.outputs());
      result.graph = with_copies(result.handed_on);
    }
    for (const ValueId id : losses_) result.graph.output(id);
    for (std::size_t i = 0; i < statistics_values_.size(); ++i) {
      auto& entry = result.statistics[i / 2];
      (i % 2 == 0 ? entry.mean_output : entry.variance_output) = result.graph.outputs().size();
      result.graph.output(statistics_values_[i]);
    }
    return result;
  }

 private:
  // A plan brings its outputs into their layout at its end, which here is that of the backward pass: too late for the next stage.
  graph::Graph with_copies(const std::vector<ValueId>& values) {
    Graph graph = std::move(rewrite_.to());
    for (const ValueId id : values) {
      const std::string name = graph.value(id).name;
      const kernels::Layout plain = kernels::Layout::plain(graph.type(id));
      graph.output(graph.add(name, kernels::Reorder{plain}, {id}));
    }
    return graph;
  }

  // The activation that alone reads a normalisation; it becomes part of it.
  const Node* activation_of(const Node& norm) const {
    const auto& readers = consumers_[static_cast<std::size_t>(norm.outputs[0].index)];
    if (readers.size() != 1) return nullptr;
    const auto* activation = readers[0]->op.as<kernels::Activation>();
    const bool either = activation != nullptr && (activation->kind == ActivationKind::relu || activation->kind == ActivationKind::relu6);
    return either ? readers[0] : nullptr;
  }
  bool is_absorbed(const Node& node) const {
    const Node* producer = producers_[static_cast<std::size_t>(node.inputs[0].index)];
    return producer != nullptr && producer->op.as<BatchNorm>() != nullptr && activation_of(*producer) == &node;
  }

  void add_norm(const Node& node) {
    BatchNorm norm = *node.op.as<BatchNorm>();
    const Node* activation = activation_of(node);
    if (activation != nullptr) norm.activation = activation->op.as<kernels::Activation>()->kind;
    const ValueId output = (activation != nullptr ? *activation : node).outputs[0];
    const bool own = !settings_.uses_batch_statistics || settings_.uses_batch_statistics(node.name);
    if (!own) return rewrite_.map(output, rewrite_.to().add(node.name, norm, rewrite_.carry(node.inputs)));

    const ValueId x = rewrite_.carry(node.inputs[0]), weight = rewrite_.carry(node.inputs[1]), bias = rewrite_.carry(node.inputs[2]);
    const std::vector<ValueId> outputs = rewrite_.to().apply(
        node.name, kernels::BatchNormTraining{.epsilon = norm.epsilon, .activation = norm.activation}, std::vector{x, weight, bias});
    rewrite_.map(output, outputs[0]);
    const Shape& shape = model_.type(node.inputs[0]).shape;
    statistics_.push_back({model_.value(node.inputs[3]).name, model_.value(node.inputs[4]).name, 0, 0, shape[0] * shape[2] * shape[3]});
    statistics_values_.insert(statistics_values_.end(), {outputs[1], outputs[2]});
  }

  // The two heads of a model with a distillation token, of which inference takes the mean; else the logits twice.
  std::pair<ValueId, ValueId> heads() const {
    const ValueId logits = model_.outputs().front();
    const Node* mean = producers_[static_cast<std::size_t>(logits.index)];
    if (mean == nullptr || mean->op.as<kernels::Binary>() == nullptr) return {logits, logits};
    const Node* sum = producers_[static_cast<std::size_t>(mean->inputs[0].index)];
    return {sum->inputs[0], sum->inputs[1]};
  }

  ValueId add_loss(const std::string& name, ValueId logits, ValueId targets, double temperature) {
    return rewrite_.to().add(name, kernels::SoftmaxCrossEntropy{temperature}, {rewrite_.carry(logits), targets});
  }

  void add_losses() {
    const ValueId logits = model_.outputs().front();
    const graph::TensorType type = model_.type(logits);
    const ValueId targets = rewrite_.to().input("targets", type);
    if (!settings_.teacher_temperature) {
      losses_.push_back(add_loss("loss", logits, targets, 1.0));
      return;
    }
    const auto [labels_head, teacher_head] = heads();
    const ValueId teacher = rewrite_.to().input("teacher", type);
    losses_.push_back(add_loss("loss", labels_head, targets, 1.0));
    losses_.push_back(add_loss("distillation", teacher_head, teacher, *settings_.teacher_temperature));
  }

  const Graph& model_;
  const TrainingFormSettings& settings_;
  Rewrite rewrite_;
  std::vector<std::vector<const Node*>> consumers_;
  std::vector<const Node*> producers_;
  std::vector<BatchStatistics> statistics_;
  std::vector<ValueId> statistics_values_, losses_;
};

}  // namespace

TrainingForm training_form(const Graph& model, const TrainingFormSettings& settings) { return Former(model, settings).form(); }

}  // namespace edgelab::train
