#include <algorithm>
#include <map>
#include <optional>

#include "core/error.hpp"
#include "graph/split/bands.hpp"
#include "graph/split/part_builder.hpp"
#include "kernels/activation/activation.hpp"
#include "kernels/attention/attention_rows.hpp"
#include "kernels/binary/binary.hpp"
#include "kernels/layer_norm/layer_norm.hpp"
#include "kernels/layer_norm_linear/layer_norm_linear.hpp"
#include "kernels/linear/linear.hpp"
#include "kernels/message/all_reduce.hpp"
#include "kernels/mlp/mlp.hpp"
#include "kernels/pool/global_average_pool.hpp"
#include "kernels/quantize/quantize.hpp"
#include "kernels/quantized_attention/quantized_attention.hpp"
#include "kernels/quantized_linear/quantized_linear.hpp"
#include "kernels/quantized_mlp/quantized_mlp.hpp"
#include "kernels/tokens/tokens.hpp"

namespace edgelab::graph {
namespace {

using kernels::Attention;
using kernels::Exchange;

// Each token of the result is computed from the same token of the inputs, and from weights.
bool by_tokens(const Node& node) {
  return node.op.as<kernels::Linear>() != nullptr || node.op.as<kernels::LayerNorm>() != nullptr || node.op.as<kernels::LayerNormLinear>() != nullptr ||
         node.op.as<kernels::Mlp>() != nullptr || node.op.as<kernels::Activation>() != nullptr || node.op.as<kernels::Binary>() != nullptr ||
         node.op.as<kernels::QuantizedLinear>() != nullptr || node.op.as<kernels::QuantizedMlp>() != nullptr || node.op.as<kernels::Quantize>() != nullptr ||
         node.op.as<kernels::Dequantize>() != nullptr;
}

// Where the positions of a value are that not everybody has whole.
struct Spread {
  std::vector<Range> owned;  // one a member
  Range held;                // what this member's tensor has, what it owns among it
};

class SequenceSplit {
 public:
  SequenceSplit(const Graph& graph, const Member& member) : build_(graph, member) {}

  Part run() {
    const auto& nodes = build_.graph().nodes();
    const auto first = std::find_if(nodes.begin(), nodes.end(), [&](const Node& node) { return begins(node); });
    if (first == nodes.end()) {
      throw Error(ErrorKind::usage, "sequence parallel: no layer of this model works on tokens or rows that could be dealt out")
          .expected("transformer blocks, convolutions or inverted residuals")
          .hint("say strategy: pipeline");
    }
    const std::size_t start = build_.cheapest_cut(static_cast<std::size_t>(first - nodes.begin()));
    build_.prologue(start, [&](ValueId old, ValueId here) { return begin_with(old, here); });
    for (std::size_t n = start; n < nodes.size(); ++n) emit(nodes[n]);
    for (const ValueId id : build_.graph().outputs()) gather(id);
    return {build_.finish(), share_};
  }

 private:
  const Shape& shape(ValueId old) const { return build_.shape(old); }
  std::size_t me() const { return static_cast<std::size_t>(build_.member().index); }
  std::size_t members() const { return static_cast<std::size_t>(build_.member().count()); }
  static int axis_of(const Shape& shape) { return shape.rank() == 4 ? 2 : 1; }
  Spread* spread(ValueId old) {
    const auto found = spreads_.find(old);
    return found == spreads_.end() ? nullptr : &found->second;
  }

  bool begins(const Node& node) const {
    if (RowWindow::of(build_.graph(), node)) return shape(node.inputs[0]).rank() == 4;
    return by_tokens(node) && shape(node.inputs[0]).rank() == 3;
  }

  std::vector<Range> shares(ValueId old) {
    const Shape& whole = shape(old);
    const std::int64_t extent = whole[axis_of(whole)];
    std::vector<Range> all = shares_for_all(extent, build_.member().weights);
    const std::string what = whole.rank() == 4 ? "rows" : "tokens";
    if (whole.rank() == 3 && std::any_of(all.begin(), all.end(), [](const Range& range) { return range.empty(); })) {
      throw Error(ErrorKind::usage, "sequence parallel: a rank would have no token").got(std::to_string(extent) + " tokens over " + std::to_string(members()) + " ranks").expected("a token a rank at least");
    }
    if (share_.empty()) share_ = what + " " + std::to_string(all[me()].begin) + " to " + std::to_string(all[me()].end - 1) + " of " + std::to_string(extent);
    return all;
  }

  // What the first member has made alone lies with it until somebody asks for a part; vectors go to all at once.
  ValueId begin_with(ValueId old, ValueId here) {
    const Shape& whole = shape(old);
    if (whole.rank() < 3) return build_.broadcast("broadcast", build_.graph().type(old), here);
    Spread first{std::vector<Range>(members()), {}};
    first.owned.front() = {0, whole[axis_of(whole)]};
    if (here.valid()) first.held = first.owned.front();
    spreads_[old] = first;
    return here;
  }

  // The positions wanted[me] of a value, in the new graph.
  ValueId fetch(ValueId old, const std::vector<Range>& wanted, const std::string& layer, std::int64_t first_element = 0) {
    const Spread& from = *spread(old);
    if (from.owned == wanted && from.held == wanted[me()]) return build_.rewrite().carry(old);
    const TensorType& type = build_.graph().type(old);
    Exchange exchange{type, axis_of(type.shape), build_.member().index, from.held, from.owned, wanted, first_element, build_.member().transport};
    if (!exchange.has_input()) return build_.to().add(layer, exchange, std::span<const ValueId>());
    return build_.to().add(layer, exchange, {build_.rewrite().carry(old)});
  }

  // From now on the value lies by `wanted`.
  ValueId move(ValueId old, const std::vector<Range>& wanted, const std::string& layer) {
    const ValueId now = fetch(old, wanted, layer);
    build_.rewrite().map(old, now);
    spreads_[old] = {wanted, wanted[me()]};
    return now;
  }

  void gather(ValueId old) {
    if (spread(old) == nullptr) return;
    const Shape& whole = shape(old);
    move(old, std::vector<Range>(members(), Range{0, whole[axis_of(whole)]}), "gather");
    spreads_.erase(old);
  }

  bool any_spread(const Node& node) {
    return std::any_of(node.inputs.begin(), node.inputs.end(), [&](ValueId id) { return spread(id) != nullptr; });
  }

  void emit(const Node& node) {
    if (!any_spread(node)) return build_.rewrite().copy(node);
    if (emit_rows(node) || emit_tokens(node)) return;
    for (const ValueId id : node.inputs) gather(id);
    build_.rewrite().copy(node);
  }

  static Node unfused_dropped(Node node) {
    node.unfused = nullptr;  // it has the whole's shapes
    return node;
  }

  // Attention of these queries to all keys.
  static std::optional<kernels::Op> attention_of(const Node& node, const Range& queries) {
    if (const auto* attention = node.op.as<Attention>(); attention != nullptr && !attention->has_bias && !attention->with_log_sum_exp) {
      return kernels::AttentionRows{*attention, queries.begin, queries.size(), attention->compute};
    }
    if (const auto* attention = node.op.as<kernels::QuantizedAttention>()) {
      kernels::QuantizedAttention some = *attention;
      some.first_query = queries.begin;
      some.queries_here = queries.size();
      return some;
    }
    return std::nullopt;
  }

  bool emit_tokens(const Node& node) {
    const ValueId x = node.inputs[0];
    if (spread(x) == nullptr || shape(x).rank() != 3) return false;
    if (const auto* select = node.op.as<kernels::SelectToken>()) {
      const std::vector<Range> one(members(), Range{select->index, select->index + 1});
      build_.rewrite().map(node.outputs[0], build_.to().add(node.name, kernels::SelectToken{0}, {fetch(x, one, node.name + ".gather")}));
      return true;
    }
    const std::vector<Range> mine = shares(x);
    if (const std::optional<kernels::Op> some = attention_of(node, mine[me()])) {
      const std::vector<Range> all(members(), Range{0, shape(x)[1]});
      const ValueId keys = fetch(x, all, node.name + ".keys_values", shape(x)[2] / 3);
      build_.rewrite().map(node.outputs[0], build_.to().add(node.name, *some, {keys}));
      spreads_[node.outputs[0]] = {mine, mine[me()]};
      return true;
    }
    if (!by_tokens(node) || !operands_match(node)) return false;
    for (const ValueId id : node.inputs) {
      if (spread(id) != nullptr) move(id, mine, node.name + ".tokens");
    }
    build_.rewrite().copy(unfused_dropped(node));
    spreads_[node.outputs[0]] = {mine, mine[me()]};
    return true;
  }

  // What stands beside the tokens is either spread like them or the same for every one.
  bool operands_match(const Node& node) {
    const Shape& x = shape(node.inputs[0]);
    return std::all_of(node.inputs.begin() + 1, node.inputs.end(), [&](ValueId id) {
      const Shape& other = shape(id);
      return spread(id) != nullptr ? other[1] == x[1] : other.rank() < 3 || other[1] == 1;
    });
  }

  bool emit_rows(const Node& node) {
    const ValueId x = node.inputs[0];
    if (spread(x) == nullptr || shape(x).rank() != 4) return false;
    if (node.op.as<kernels::GlobalAveragePool>() != nullptr) return emit_pool(node);
    const std::optional<RowWindow> window = RowWindow::of(build_.graph(), node);
    if (!window) return false;
    const std::vector<Range> bands = shares(node.outputs[0]);
    if (std::any_of(bands.begin(), bands.end(), [](const Range& band) { return band.empty(); })) return false;
    std::vector<Range> wanted;
    for (const Range& band : bands) wanted.push_back(window->input_of(band));
    std::vector<ValueId> inputs = {fetch(x, wanted, node.name + ".rows")};
    for (std::size_t i = 1; i < node.inputs.size(); ++i) inputs.push_back(build_.weight(node.inputs[i]));
    const ValueId y = build_.to().add(node.name, node.op, inputs);
    build_.rewrite().map(node.outputs[0], y);
    const std::int64_t first = window->first_output(wanted[me()].begin);
    spreads_[node.outputs[0]] = {bands, {first, first + build_.to().type(y).shape[2]}};
    return true;
  }

  // The mean of all rows is the sum of the bands' means, each by its share of the rows.
  bool emit_pool(const Node& node) {
    const ValueId x = node.inputs[0];
    const std::vector<Range> bands = spread(x)->owned;
    const double rows = static_cast<double>(shape(x)[2]), mine = static_cast<double>(bands[me()].size());
    if (std::any_of(bands.begin(), bands.end(), [](const Range& band) { return band.empty(); })) return false;
    Tensor share(DType::f32, {1});
    share.as<float>()[0] = static_cast<float>(mine / rows);
    const ValueId mean = build_.to().add(node.name, node.op, {fetch(x, bands, node.name + ".rows")});
    const ValueId part = build_.to().add(node.name + ".share", kernels::Binary{kernels::Binary::Kind::multiply}, {mean, build_.to().constant("share of the rows", share)});
    const kernels::AllReduce reduce{build_.graph().type(node.outputs[0]), true, build_.member().count(), build_.member().transport};
    build_.rewrite().map(node.outputs[0], build_.to().add(node.name + ".sum", reduce, {part}));
    return true;
  }

  PartBuilder build_;
  std::map<ValueId, Spread> spreads_;
  std::string share_;
};

}  // namespace

Part sequence_part(const Graph& graph, const Member& member) { return SequenceSplit(graph, member).run(); }

}  // namespace edgelab::graph
