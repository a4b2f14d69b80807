#include "graph/split/training_part.hpp"

#include <utility>

#include "core/error.hpp"
#include "graph/passes/fusion.hpp"
#include "graph/passes/rewrite.hpp"
#include "graph/split/slice.hpp"
#include "kernels/activation/activation.hpp"
#include "kernels/attention/attention.hpp"
#include "kernels/binary/binary.hpp"
#include "kernels/linear/linear.hpp"
#include "kernels/message/all_reduce.hpp"
#include "kernels/message/gradient_sum.hpp"

namespace edgelab::graph {
namespace {

using kernels::Activation;
using kernels::Attention;
using kernels::Linear;

// linear → attention or activation → linear, each read by the next alone.
struct Unit {
  const Node *up = nullptr, *middle = nullptr, *down = nullptr;
  std::vector<Range> shares;  // of heads or hidden units, one a member
};

class TrainingSplit {
 public:
  TrainingSplit(const Graph& model, const Member& member) : model_(model), pattern_(model), member_(member), rewrite_(model) {}

  TrainingPart run() {
    for (const Node& node : model_.nodes()) find_unit(node);
    if (units_.empty()) {
      throw Error(ErrorKind::usage, "tensor parallel training: no layer of this model can be shared out")
          .expected("a vision transformer's heads and hidden units")
          .hint("parallel: {strategy: pipeline} trains any model");
    }
    for (const ValueId id : model_.weights()) part_.pieces.emplace(model_.value(id).name, Piece{});
    for (const Node& node : model_.nodes()) emit(node);
    part_.graph = rewrite_.finish();
    return std::move(part_);
  }

 private:
  void find_unit(const Node& down) {
    const auto* linear = down.op.as<Linear>();
    if (linear == nullptr || linear->has_residual) return;
    Unit unit{nullptr, pattern_.only_for_us<Attention>(down.inputs[0]), &down, {}};
    const bool heads = unit.middle != nullptr;
    if (!heads) unit.middle = pattern_.only_for_us<Activation>(down.inputs[0]);
    if (unit.middle == nullptr) return;
    unit.up = pattern_.only_for_us<Linear>(unit.middle->inputs[0]);
    if (unit.up == nullptr) return;
    const std::int64_t total = heads ? unit.middle->op.as<Attention>()->heads : model_.type(down.inputs[1]).shape[1];
    unit.shares = shares_for_all(total, member_.weights);
    if (mine(unit).empty() || unit.shares.size() > static_cast<std::size_t>(total)) {
      throw Error(ErrorKind::usage, "tensor parallel training: a rank would have nothing of layer " + down.name)
          .got(std::to_string(total) + " for " + std::to_string(member_.count()) + " ranks")
          .hint("fewer ranks, or a pipeline");
    }
    say(heads ? "heads" : "hidden units", unit.shares);
    for (const Node* node : {unit.up, unit.middle, unit.down}) units_.emplace(node, unit);
  }

  Range mine(const Unit& unit) const { return unit.shares[static_cast<std::size_t>(member_.index)]; }

  void say(const std::string& what, const std::vector<Range>& shares) {
    if (part_.share.find(what) != part_.share.npos) return;
    const Range& share = shares[static_cast<std::size_t>(member_.index)];
    part_.share += (part_.share.empty() ? "" : ", ") + what + " " + std::to_string(share.begin) + " to " + std::to_string(share.end - 1) + " of " +
                   std::to_string(shares.back().end);
  }

  void emit(const Node& node) {
    const auto found = units_.find(&node);
    if (found == units_.end()) return rewrite_.copy(node);
    const Unit& unit = found->second;
    if (&node == unit.up) return emit_up(unit);
    if (&node == unit.down) return emit_down(unit);
    if (const auto* attention = node.op.as<Attention>()) {
      Attention some = *attention;
      some.scale = attention->effective_scale(model_.type(node.outputs[0]).shape.back());
      some.heads = static_cast<int>(mine(unit).size());
      return rewrite_.copy(node, some);
    }
    rewrite_.copy(node);
  }

  // Of queries, keys and values the share's heads; of the others its hidden units.
  void emit_up(const Unit& unit) {
    const Node& node = *unit.up;
    const std::int64_t outputs = model_.type(node.inputs[1]).shape[0], parts = unit.middle->op.as<Attention>() != nullptr ? 3 : 1;
    const std::int64_t width = outputs / parts, one = width / unit.shares.back().end;
    std::vector<Range> rows;
    for (std::int64_t part = 0; part < parts; ++part) rows.push_back({part * width + mine(unit).begin * one, part * width + mine(unit).end * one});
    const kernels::GradientSum sum{member_.count(), member_.transport};
    std::vector<ValueId> inputs = {rewrite_.to().add(node.name + ".input", sum, {rewrite_.carry(node.inputs[0])})};
    for (std::size_t i = 1; i < node.inputs.size(); ++i) inputs.push_back(sliced(node.inputs[i], 0, rows));
    rewrite_.map(node.outputs[0], rewrite_.to().add(node.name, node.op, inputs));
  }

  // The bias is added behind the sum, so that its gradient is everybody's.
  void emit_down(const Unit& unit) {
    const Node& node = *unit.down;
    const std::int64_t one = model_.type(node.inputs[1]).shape[1] / unit.shares.back().end;
    const ValueId weight = sliced(node.inputs[1], 1, {{mine(unit).begin * one, mine(unit).end * one}});
    Linear some = *node.op.as<Linear>();
    const bool bias = std::exchange(some.has_bias, false);
    ValueId y = rewrite_.to().add(node.name, some, {rewrite_.carry(node.inputs[0]), weight});
    const kernels::AllReduce reduce{rewrite_.to().type(y), true, member_.count(), member_.transport};
    y = rewrite_.to().add(node.name + ".sum", reduce, {y});
    if (bias) y = rewrite_.to().add(node.name + ".bias", kernels::Binary{kernels::Binary::Kind::add}, {y, rewrite_.carry(node.inputs[2])});
    rewrite_.map(node.outputs[0], y);
  }

  ValueId sliced(ValueId old, int axis, const std::vector<Range>& ranges) {
    const Value& value = model_.value(old);
    Tensor some = slice(value.data, axis, ranges);
    const TensorType type{some.dtype(), some.shape()};
    part_.pieces[value.name] = {axis, ranges};
    return rewrite_.to().parameter(value.name, type, std::move(some));
  }

  const Graph& model_;
  Pattern pattern_;
  const Member& member_;
  Rewrite rewrite_;
  std::map<const Node*, Unit> units_;
  TrainingPart part_;
};

}  // namespace

TrainingPart tensor_training_part(const Graph& model, const Member& member) { return TrainingSplit(model, member).run(); }

}  // namespace edgelab::graph
