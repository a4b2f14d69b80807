#include <algorithm>
#include <optional>

#include "core/error.hpp"
#include "graph/split/part_builder.hpp"
#include "kernels/attention/attention.hpp"
#include "kernels/conv2d/conv2d.hpp"
#include "kernels/inverted_residual/inverted_residual.hpp"
#include "kernels/layer_norm_linear/layer_norm_linear.hpp"
#include "kernels/linear/linear.hpp"
#include "kernels/message/all_reduce.hpp"
#include "kernels/mlp/mlp.hpp"
#include "kernels/pool/global_average_pool.hpp"
#include "kernels/pool/quantized_average_pool.hpp"
#include "kernels/quantized_attention/quantized_attention.hpp"
#include "kernels/quantized_conv2d/quantized_conv2d.hpp"
#include "kernels/quantized_inverted_residual/quantized_inverted_residual.hpp"
#include "kernels/quantized_linear/quantized_linear.hpp"
#include "kernels/quantized_mlp/quantized_mlp.hpp"
#include "kernels/tokens/tokens.hpp"

namespace edgelab::graph {
namespace {

using kernels::ActivationKind;
using kernels::Attention;
using kernels::Conv2d;
using kernels::InvertedResidual;
using kernels::LayerNormLinear;
using kernels::Linear;
using kernels::Mlp;
using kernels::QuantizedAttention;
using kernels::QuantizedConv2d;
using kernels::QuantizedInvertedResidual;
using kernels::QuantizedLinear;
using kernels::QuantizedMlp;
using kernels::TensorType;

// What becomes of a node. up: some of its outputs; middle: the same on these; down: a part of the sum over them.
enum class Role { whole, up, middle, down, block };

// Channels and hidden units go in packs, so that vectors stay whole where that leaves something for everybody.
constexpr std::int64_t kPack = 16;
std::int64_t pack_of(std::int64_t total, int members) { return total % kPack == 0 && total / kPack >= members ? kPack : 1; }

class TensorSplit {
 public:
  TensorSplit(const Graph& graph, const Member& member) : build_(graph, member), roles_(graph.nodes().size(), Role::whole), shares_(graph.nodes().size()) {}

  Part run() {
    for (std::size_t n = 0; n < nodes().size(); ++n) find_unit(n);
    const auto first = std::find_if(roles_.begin(), roles_.end(), [](Role role) { return role != Role::whole; });
    if (first == roles_.end()) {
      throw Error(ErrorKind::usage, "tensor parallel: no layer of this model can be shared out")
          .expected("attention heads, MLPs or inverted residuals, after fusion")
          .hint("say graph: fused, or strategy: sequence or pipeline");
    }
    const std::size_t start = build_.cheapest_cut(static_cast<std::size_t>(first - roles_.begin()));
    build_.prologue(start, [&](ValueId old, ValueId here) { return build_.broadcast("broadcast", build_.graph().type(old), here); });
    for (std::size_t n = start; n < nodes().size(); ++n) emit(n);
    return {build_.finish(), share_};
  }

 private:
  const std::vector<Node>& nodes() const { return build_.graph().nodes(); }
  std::size_t index_of(const Node& node) const { return static_cast<std::size_t>(&node - nodes().data()); }
  const Shape& shape(ValueId old) const { return build_.shape(old); }
  bool known(const Node& node, std::size_t first) const {
    return std::all_of(node.inputs.begin() + static_cast<std::ptrdiff_t>(first), node.inputs.end(), [&](ValueId id) {
      const ValueKind kind = build_.graph().value(id).kind;
      return kind == ValueKind::input || kind == ValueKind::result || build_.known(id);
    });
  }

  void set(const Node& node, Role role, const std::vector<Range>& shares) {
    roles_[index_of(node)] = role;
    shares_[index_of(node)] = shares;
  }

  std::vector<Range> packed_shares(std::int64_t total) const {
    const std::int64_t pack = pack_of(total, build_.member().count());
    std::vector<Range> shares = shares_of(total / pack, build_.member().weights);
    for (Range& share : shares) share = {share.begin * pack, share.end * pack};
    return shares;
  }

  void say(const std::string& what, const std::vector<Range>& shares) {
    const Range& mine = shares[static_cast<std::size_t>(build_.member().index)];
    const std::string text = mine.empty() ? "no " + what : what + " " + std::to_string(mine.begin) + " to " + std::to_string(mine.end - 1);
    const std::string all = text + " of " + std::to_string(shares.back().end);
    if (share_.find(what) == share_.npos) share_ += (share_.empty() ? "" : ", ") + all;
  }

  void find_unit(std::size_t n) {
    const Node& node = nodes()[n];
    if (node.op.as<Attention>() != nullptr || node.op.as<QuantizedAttention>() != nullptr) return find_attention(node);
    if ((node.op.as<Mlp>() != nullptr || node.op.as<QuantizedMlp>() != nullptr) && known(node, 1)) {
      const std::vector<Range> shares = packed_shares(shape(node.inputs[Mlp::kUp])[0]);
      set(node, Role::block, shares);
      say("hidden units", shares);
    }
    if (const auto* block = node.op.as<InvertedResidual>(); block != nullptr && block->expand && known(node, 1)) {
      const std::vector<Range> shares = packed_shares(shape(node.inputs[block->depthwise_input()])[0]);
      set(node, Role::block, shares);
      say("expanded channels", shares);
    }
    if (const auto* block = node.op.as<QuantizedInvertedResidual>(); block != nullptr && block->expand() && known(node, 1)) {
      const std::vector<Range> shares = packed_shares(shape(node.inputs[QuantizedInvertedResidual::weight_input(0)])[0]);
      set(node, Role::block, shares);
      say("expanded channels", shares);
    }
    if (node.op.as<kernels::GlobalAveragePool>() != nullptr || node.op.as<kernels::QuantizedAveragePool>() != nullptr) find_classifier(node);
  }

  // Linear layers alone read the value, through the selection of a token or not: they, and the selections.
  std::optional<std::vector<const Node*>> linears_behind(ValueId value) const {
    const Pattern& pattern = build_.pattern();
    if (pattern.uses(value) != static_cast<int>(pattern.readers(value).size())) return std::nullopt;
    std::vector<const Node*> found;
    for (const Node* reader : pattern.readers(value)) {
      if (reader->inputs[0] == value && adds_up(*reader)) {
        found.push_back(reader);
        continue;
      }
      if (reader->op.as<kernels::SelectToken>() == nullptr) return std::nullopt;
      const auto further = linears_behind(reader->outputs[0]);
      if (!further) return std::nullopt;
      found.push_back(reader);
      found.insert(found.end(), further->begin(), further->end());
    }
    return found;
  }

  // A linear layer whose output is the sum of what shares of its inputs make of it.
  bool adds_up(const Node& node) const {
    if (const auto* linear = node.op.as<Linear>()) return linear->activation == ActivationKind::none && known(node, 1);
    const auto* integers = node.op.as<QuantizedLinear>();
    return integers != nullptr && integers->activation == ActivationKind::none && integers->outputs.empty() && !integers->epsilon && known(node, 1);
  }

  void set_behind(const std::vector<const Node*>& behind, const std::vector<Range>& shares) {
    for (const Node* node : behind) set(*node, node->op.as<kernels::SelectToken>() == nullptr ? Role::down : Role::middle, shares);
  }

  void find_attention(const Node& node) {
    const auto* floats = node.op.as<Attention>();
    const Node* up = build_.pattern().only_for_us<LayerNormLinear>(node.inputs[0]);
    if (up == nullptr) up = build_.pattern().only_for_us<Linear>(node.inputs[0]);
    if (up == nullptr) up = build_.pattern().only_for_us<QuantizedLinear>(node.inputs[0]);
    const auto behind = linears_behind(node.outputs[0]);
    if (up == nullptr || !known(*up, 1) || !behind || (floats != nullptr && floats->has_bias)) return;
    if (const auto* linear = up->op.as<Linear>(); linear != nullptr && linear->has_residual) return;
    if (const auto* linear = up->op.as<QuantizedLinear>(); linear != nullptr && linear->has_residual) return;
    const std::vector<Range> shares = shares_of(floats != nullptr ? floats->heads : node.op.as<QuantizedAttention>()->heads, build_.member().weights);
    set(*up, Role::up, shares);
    set(node, Role::middle, shares);
    set_behind(*behind, shares);
    say("heads", shares);
  }

  // 1×1 convolution, pool, classifier.
  void find_classifier(const Node& pool) {
    const Node* up = build_.pattern().only_for_us<Conv2d>(pool.inputs[0]);
    if (up == nullptr) up = build_.pattern().only_for_us<QuantizedConv2d>(pool.inputs[0]);
    const auto behind = linears_behind(pool.outputs[0]);
    if (up == nullptr || !behind || !known(*up, 1)) return;
    if (const auto* conv = up->op.as<Conv2d>(); conv != nullptr && (conv->groups != 1 || conv->has_residual)) return;
    if (const auto* conv = up->op.as<QuantizedConv2d>(); conv != nullptr && (conv->groups != 1 || conv->residual)) return;
    const std::vector<Range> shares = packed_shares(shape(up->inputs[1])[0]);
    set(*up, Role::up, shares);
    set(pool, Role::middle, shares);
    set_behind(*behind, shares);
    say("features", shares);
  }

  const std::vector<Range>& shares(const Node& node) const { return shares_[index_of(node)]; }
  Range mine(const Node& node) const { return shares(node)[static_cast<std::size_t>(build_.member().index)]; }
  // Biases and residuals are added once, by the first member that has anything of the sum.
  bool adds_the_rest(const Node& node) const {
    const auto& all = shares(node);
    const auto first = std::find_if(all.begin(), all.end(), [](const Range& share) { return !share.empty(); });
    return first - all.begin() == build_.member().index;
  }

  void emit(std::size_t n) {
    const Node& node = nodes()[n];
    const Role role = roles_[n];
    if (role == Role::whole) return build_.rewrite().copy(node);
    if (const auto* block = node.op.as<QuantizedInvertedResidual>()) return build_.rewrite().map(node.outputs[0], emit_in_integers(node, *block));
    if (role == Role::down || role == Role::block) {
      const ValueId part = mine(node).empty() ? ValueId() : role == Role::down ? emit_down(node) : emit_block(node);
      return build_.rewrite().map(node.outputs[0], sum(node, part));
    }
    if (mine(node).empty()) return;
    if (role == Role::up) return build_.rewrite().map(node.outputs[0], emit_up(node));
    if (const auto* attention = node.op.as<Attention>()) {
      Attention some = *attention;
      some.scale = attention->effective_scale(shape(node.outputs[0]).back());
      some.heads = static_cast<int>(mine(node).size());
      return build_.rewrite().copy(unfused_dropped(node), some);
    }
    if (const auto* attention = node.op.as<QuantizedAttention>()) {
      QuantizedAttention some = *attention;
      some.scale = attention->effective_scale(shape(node.outputs[0]).back());
      some.heads = static_cast<int>(mine(node).size());
      return build_.rewrite().copy(unfused_dropped(node), some);
    }
    build_.rewrite().copy(unfused_dropped(node));
  }

  static Node unfused_dropped(Node node) {
    node.unfused = nullptr;
    return node;
  }

  ValueId sum(const Node& node, ValueId part) {
    const kernels::AllReduce reduce{build_.graph().type(node.outputs[0]), part.valid(), build_.member().count(), build_.member().transport};
    const std::string layer = node.name + ".sum";
    return part.valid() ? build_.to().add(layer, reduce, {part}) : build_.to().add(layer, reduce, std::span<const ValueId>());
  }

  ValueId emit_up(const Node& node) {
    const auto* integers = node.op.as<QuantizedLinear>();
    const std::size_t weight = node.op.as<LayerNormLinear>() != nullptr || (integers != nullptr && integers->epsilon) ? 3 : 1;  // behind the normalisation's
    const std::vector<Range> rows = rows_of_up(node, shape(node.inputs[weight])[0]);
    std::vector<ValueId> inputs;
    for (std::size_t i = 0; i < node.inputs.size(); ++i) inputs.push_back(i < weight ? build_.rewrite().carry(node.inputs[i]) : build_.sliced(node.inputs[i], 0, rows));
    return build_.to().add(node.name, node.op, inputs);
  }

  // Of queries, keys and values the share's heads, of a convolution its channels.
  std::vector<Range> rows_of_up(const Node& node, std::int64_t outputs) const {
    const Range share = mine(node);
    if (node.op.as<Conv2d>() != nullptr || node.op.as<QuantizedConv2d>() != nullptr) return {share};
    const std::int64_t width = outputs / 3, head = width / shares(node).back().end;
    std::vector<Range> rows;
    for (std::int64_t part = 0; part < 3; ++part) rows.push_back({part * width + share.begin * head, part * width + share.end * head});
    return rows;
  }

  ValueId emit_down(const Node& node) {
    if (node.op.as<QuantizedLinear>() != nullptr) return emit_down_in_integers(node);
    Linear some = *node.op.as<Linear>();
    const std::int64_t unit = shape(node.inputs[1])[1] / shares(node).back().end;
    const Range columns{mine(node).begin * unit, mine(node).end * unit};
    std::vector<ValueId> inputs = {build_.rewrite().carry(node.inputs[0]), build_.sliced(node.inputs[1], 1, {columns})};
    if (adds_the_rest(node)) {
      for (std::size_t i = 2; i < node.inputs.size(); ++i) inputs.push_back(build_.rewrite().carry(node.inputs[i]));
    } else {
      some.has_bias = some.has_residual = false;
    }
    return build_.to().add(node.name, some, inputs);
  }

  // Sums of integers over a share are exact; what is added up over the ranks are their floats.
  ValueId emit_down_in_integers(const Node& node) {
    QuantizedLinear some = *node.op.as<QuantizedLinear>();
    const std::int64_t unit = shape(node.inputs[some.weight_input()])[1] / shares(node).back().end;
    const Range columns{mine(node).begin * unit, mine(node).end * unit};
    std::vector<ValueId> inputs = {build_.rewrite().carry(node.inputs[0]), build_.sliced(node.inputs[some.weight_input()], 1, {columns}), build_.weight(node.inputs[some.scale_input()])};
    if (adds_the_rest(node)) {
      for (std::size_t i = some.bias_input(); i < node.inputs.size(); ++i) inputs.push_back(build_.rewrite().carry(node.inputs[i]));
    } else {
      some.has_bias = some.has_residual = false;
    }
    return build_.to().add(node.name, some, inputs);
  }

  ValueId emit_block(const Node& node) {
    if (node.op.as<Mlp>() != nullptr) return emit_mlp(node);
    return node.op.as<QuantizedMlp>() != nullptr ? emit_mlp_in_integers(node) : emit_inverted_residual(node);
  }

  ValueId emit_mlp(const Node& node) {
    const auto& mlp = *node.op.as<Mlp>();
    const std::vector<Range> share = {mine(node)};
    std::vector<ValueId> inputs;
    for (const std::size_t i : {Mlp::kX, Mlp::kNormWeight, Mlp::kNormBias}) inputs.push_back(build_.rewrite().carry(node.inputs[i]));
    for (const std::size_t i : {Mlp::kUp, Mlp::kUpBias}) inputs.push_back(build_.sliced(node.inputs[i], 0, share));
    const ValueId down = build_.sliced(node.inputs[Mlp::kDown], 1, share);
    if (adds_the_rest(node)) {
      inputs.insert(inputs.end(), {down, build_.weight(node.inputs[Mlp::kDownBias])});
      return build_.to().add(node.name, mlp, inputs);
    }
    const LayerNormLinear up{mlp.epsilon, true, mlp.activation, mlp.compute};
    return build_.to().add(node.name, Linear{.compute = mlp.compute}, {build_.to().add(node.name + ".up", up, inputs), down});
  }

  ValueId emit_mlp_in_integers(const Node& node) {
    const auto& mlp = *node.op.as<QuantizedMlp>();
    const std::vector<Range> share = {mine(node)};
    std::vector<ValueId> inputs;
    for (const std::size_t i : {QuantizedMlp::kX, QuantizedMlp::kNormWeight, QuantizedMlp::kNormBias}) inputs.push_back(build_.rewrite().carry(node.inputs[i]));
    for (const std::size_t i : {QuantizedMlp::kUp, QuantizedMlp::kUpScale, QuantizedMlp::kUpBias}) inputs.push_back(build_.sliced(node.inputs[i], 0, share));
    const ValueId down = build_.sliced(node.inputs[QuantizedMlp::kDown], 1, share), scale = build_.weight(node.inputs[QuantizedMlp::kDownScale]);
    if (adds_the_rest(node)) {
      inputs.insert(inputs.end(), {down, scale, build_.weight(node.inputs[QuantizedMlp::kDownBias])});
      return build_.to().add(node.name, mlp, inputs);
    }
    QuantizedLinear up, last;
    up.input = mlp.input;
    up.weight_bits = mlp.up_bits;
    up.epsilon = mlp.epsilon;
    up.has_bias = true;
    up.activation = mlp.activation;
    up.outputs = {mlp.hidden};
    last.input = mlp.hidden;
    last.weight_bits = mlp.down_bits;
    return build_.to().add(node.name, std::move(last), {build_.to().add(node.name + ".up", std::move(up), inputs), down, scale});
  }

  ValueId emit_inverted_residual(const Node& node) {
    InvertedResidual some = *node.op.as<InvertedResidual>();
    const std::vector<Range> share = {mine(node)};
    const bool rest = adds_the_rest(node);
    some.has_residual = some.has_residual && rest;
    std::vector<ValueId> inputs = {build_.rewrite().carry(node.inputs[0])};
    for (std::size_t i = some.expand_input(); i < some.project_input(); ++i) inputs.push_back(build_.sliced(node.inputs[i], 0, share));
    inputs.push_back(build_.sliced(node.inputs[some.project_input()], 1, share));
    inputs.push_back(build_.bias_or_zeros(node.inputs[some.project_input() + 1], rest));
    return build_.to().add(node.name, some, inputs);
  }

  // Bytes are not added up but gathered: a share of the expanded channels is known by everybody before a share of the projection's
  // outputs reads all of them. So every number is the one that a single rank comes to, and fewer bytes travel than sums would be.
  ValueId emit_in_integers(const Node& node, const QuantizedInvertedResidual& block) {
    const ValueId x = build_.rewrite().carry(node.inputs[0]);
    TensorType hidden = build_.graph().type(node.outputs[0]);  // its rows and columns are the depthwise convolution's, too
    hidden.shape[1] = shares(node).back().end;
    ValueId some;
    if (!mine(node).empty()) {
      some = build_.to().add(node.name + ".expand", block.convolutions[0], share_of_convolution(node, 0, x, mine(node)));
      QuantizedConv2d depthwise = block.convolutions[1];
      depthwise.groups = static_cast<int>(mine(node).size());
      some = build_.to().add(node.name + ".depthwise", depthwise, share_of_convolution(node, 1, some, mine(node)));
    }
    const ValueId all = gathered(node.name + ".expanded", hidden, shares(node), everything(hidden), some);
    const TensorType& type = build_.graph().type(node.outputs[0]);
    const std::vector<Range> outputs = packed_shares(type.shape[1]);
    const Range own = outputs[static_cast<std::size_t>(build_.member().index)];
    ValueId projected;
    if (!own.empty()) {
      std::vector<ValueId> inputs = share_of_convolution(node, 2, all, own);
      if (block.project().residual) inputs.push_back(gathered(node.name + ".residual", build_.graph().type(node.inputs[0]), everything(type), outputs, x));
      projected = build_.to().add(node.name + ".project", block.project(), inputs);
    }
    return gathered(node.name + ".gather", type, outputs, everything(type), projected);
  }

  std::vector<ValueId> share_of_convolution(const Node& node, std::size_t convolution, ValueId x, const Range& outputs) {
    std::vector<ValueId> inputs = {x};
    for (std::size_t i = 0; i < 3; ++i) inputs.push_back(build_.sliced(node.inputs[QuantizedInvertedResidual::weight_input(convolution) + i], 0, {outputs}));
    return inputs;
  }

  // Channels of a map, from who has them to who wants them.
  ValueId gathered(const std::string& layer, const TensorType& map, const std::vector<Range>& owned, const std::vector<Range>& wanted, ValueId here) {
    return build_.dealt(layer, map, 1, owned, wanted, here);
  }

  std::vector<Range> everything(const TensorType& type) const { return std::vector<Range>(static_cast<std::size_t>(build_.member().count()), Range{0, type.shape[1]}); }

  PartBuilder build_;
  std::vector<Role> roles_;                 // one a node
  std::vector<std::vector<Range>> shares_;  // of heads, hidden units or channels, one a member
  std::string share_;
};

}  // namespace

Part tensor_part(const Graph& graph, const Member& member) { return TensorSplit(graph, member).run(); }

}  // namespace edgelab::graph
