#include "compress/prune/channel_groups.hpp"

#include <map>
#include <optional>

#include "kernels/activation/activation.hpp"
#include "kernels/attention/attention.hpp"
#include "kernels/batch_norm/batch_norm.hpp"
#include "kernels/binary/binary.hpp"
#include "kernels/conv2d/conv2d.hpp"
#include "kernels/layer_norm/layer_norm.hpp"
#include "kernels/linear/linear.hpp"
#include "kernels/pool/global_average_pool.hpp"
#include "kernels/tokens/tokens.hpp"

namespace edgelab::compress {
namespace {

using graph::Graph;
using graph::Node;
using graph::ValueId;
using graph::ValueKind;

// A channel axis that some values have in common.
struct Axis {
  std::string name;
  std::int64_t extent = 0;
  bool fixed = false;
  std::vector<GroupMember> members;
};

// Axes joined into sets as the graph is walked; a set is one axis in the end.
class Axes {
 public:
  std::size_t add(std::string name, std::int64_t extent) {
    parents_.push_back(axes_.size());
    axes_.push_back({std::move(name), extent, false, {}});
    return axes_.size() - 1;
  }
  std::size_t root(std::size_t axis) const {
    while (parents_[axis] != axis) axis = parents_[axis];
    return axis;
  }
  Axis& at(std::size_t axis) { return axes_[root(axis)]; }
  void join(std::size_t a, std::size_t b) {
    const std::size_t into = std::min(root(a), root(b)), from = std::max(root(a), root(b));
    if (into == from) return;
    Axis &kept = axes_[into], &gone = axes_[from];
    kept.fixed = kept.fixed || gone.fixed || kept.extent != gone.extent;
    kept.members.insert(kept.members.end(), gone.members.begin(), gone.members.end());
    parents_[from] = into;
  }
  std::size_t size() const { return axes_.size(); }

 private:
  std::vector<Axis> axes_;
  std::vector<std::size_t> parents_;
};

// Attention's input [.., 3·D] and output [.., D] go head by head.
struct HeadLink {
  std::size_t in, out;
  int heads;
};

class Walk {
 public:
  explicit Walk(const Graph& model) : model_(model) {
    for (const ValueId id : model.inputs()) fix(axis_of(id));
    for (const Node& node : model.nodes()) visit(node);
    for (const ValueId id : model.outputs()) fix(axis_of(id));
  }

  std::vector<ChannelGroup> groups() {
    std::map<std::size_t, const HeadLink*> linked;
    for (const HeadLink& link : links_) linked[axes_.root(link.in)] = linked[axes_.root(link.out)] = &link;
    std::vector<ChannelGroup> list;
    for (std::size_t i = 0; i < axes_.size(); ++i) {
      if (axes_.root(i) != i) continue;
      const auto link = linked.find(i);
      const std::optional<ChannelGroup> group = link == linked.end() ? channels(i) : i == axes_.root(link->second->in) ? heads(*link->second) : std::nullopt;
      if (group) list.push_back(*group);
    }
    return list;
  }

 private:
  static int channel_axis(const Shape& shape) { return shape.rank() == 4 ? 1 : shape.rank() - 1; }
  bool is_weight(ValueId id) const { return model_.value(id).kind == ValueKind::parameter || model_.value(id).kind == ValueKind::buffer; }

  std::size_t axis_of(ValueId id) {
    const auto found = of_values_.find(id);
    if (found != of_values_.end()) return found->second;
    const Shape& shape = model_.type(id).shape;
    const std::size_t axis = axes_.add(model_.value(id).name, shape[channel_axis(shape)]);
    of_values_.emplace(id, axis);
    return axis;
  }
  void fix(std::size_t axis) { axes_.at(axis).fixed = true; }
  void give(ValueId value, std::size_t axis) { of_values_[value] = axis; }
  void belongs(std::size_t axis, ValueId weight, int at) { axes_.at(axis).members.push_back({model_.value(weight).name, at, 1, 1}); }

  void visit(const Node& node) {
    if (const auto* conv = node.op.as<kernels::Conv2d>()) return convolution(node, *conv);
    if (node.op.as<kernels::Linear>() != nullptr) return matrix(node);
    if (const auto* attention = node.op.as<kernels::Attention>(); attention != nullptr && node.inputs.size() == 1 && node.outputs.size() == 1) {
      links_.push_back({axis_of(node.inputs[0]), axis_of(node.outputs[0]), attention->heads});
      return;
    }
    if (node.op.as<kernels::BatchNorm>() != nullptr || node.op.as<kernels::LayerNorm>() != nullptr) {
      same(node);
      if (node.op.as<kernels::LayerNorm>() != nullptr) fix(axis_of(node.inputs[0]));
      return;
    }
    const bool keeps_channels = node.op.as<kernels::Activation>() != nullptr || node.op.as<kernels::Binary>() != nullptr || node.op.as<kernels::GlobalAveragePool>() != nullptr ||
                                node.op.as<kernels::ToTokens>() != nullptr || node.op.as<kernels::ConcatTokens>() != nullptr || node.op.as<kernels::SelectToken>() != nullptr;
    if (keeps_channels) return same(node);
    for (const ValueId id : node.inputs) fix(axis_of(id));
    for (const ValueId id : node.outputs) fix(axis_of(id));
  }

  // Inputs and outputs have the same channels; weights have them as their last axis. A number alone goes with any.
  void same(const Node& node) {
    const std::size_t axis = axis_of(node.outputs[0]);
    for (const ValueId id : node.inputs) {
      const Shape& shape = model_.type(id).shape;
      if (is_weight(id)) {
        belongs(axis, id, shape.rank() - 1);
      } else if (model_.value(id).kind != ValueKind::constant) {
        axes_.join(axis, axis_of(id));
      } else if (shape.elements() > 1) {
        fix(axis);
      }
    }
  }

  void convolution(const Node& node, const kernels::Conv2d& conv) {
    const Shape& w = model_.type(node.inputs[1]).shape;
    const std::size_t out = axis_of(node.outputs[0]), in = axis_of(node.inputs[0]);
    belongs(out, node.inputs[1], 0);
    if (conv.groups == 1) {
      belongs(in, node.inputs[1], 1);
    } else {
      axes_.join(in, out);
      if (conv.groups != w[0] || w[1] != 1) fix(out);
    }
    others(node, out);
  }

  void matrix(const Node& node) {
    const std::size_t out = axis_of(node.outputs[0]);
    belongs(out, node.inputs[1], 0);
    belongs(axis_of(node.inputs[0]), node.inputs[1], 1);
    others(node, out);
  }

  // Bias, and what else is added to the result.
  void others(const Node& node, std::size_t out) {
    for (std::size_t i = 2; i < node.inputs.size(); ++i) {
      if (is_weight(node.inputs[i])) {
        belongs(out, node.inputs[i], 0);
      } else {
        axes_.join(out, axis_of(node.inputs[i]));
      }
    }
  }

  std::optional<ChannelGroup> channels(std::size_t axis) {
    const Axis& of = axes_.at(axis);
    if (of.fixed || of.extent < 2 || of.members.empty()) return std::nullopt;
    return ChannelGroup{of.name, of.extent, false, of.members};
  }

  std::optional<ChannelGroup> heads(const HeadLink& link) {
    const Axis &in = axes_.at(link.in), &out = axes_.at(link.out);
    if (in.fixed || out.fixed || link.heads < 2) return std::nullopt;
    ChannelGroup group{in.name, link.heads, true, {}};
    for (GroupMember member : in.members) {
      member.width = in.extent / 3 / link.heads, member.repeats = 3;
      group.members.push_back(member);
    }
    for (GroupMember member : out.members) {
      member.width = out.extent / link.heads;
      group.members.push_back(member);
    }
    return group;
  }

  const Graph& model_;
  Axes axes_;
  std::map<ValueId, std::size_t> of_values_;
  std::vector<HeadLink> links_;
};

}  // namespace

std::vector<ChannelGroup> channel_groups(const Graph& model) { return Walk(model).groups(); }

}  // namespace edgelab::compress
