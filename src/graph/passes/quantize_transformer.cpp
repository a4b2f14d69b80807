#include <algorithm>
#include <map>

#include "graph/passes/fusion.hpp"
#include "graph/passes/integer_weight.hpp"
#include "graph/passes/passes.hpp"
#include "graph/quantization.hpp"
#include "kernels/layer_norm/layer_norm.hpp"
#include "kernels/linear/linear.hpp"
#include "kernels/patch_embed/patch_embed.hpp"
#include "kernels/quantized_attention/quantized_attention.hpp"
#include "kernels/quantized_linear/quantized_linear.hpp"
#include "kernels/quantized_mlp/quantized_mlp.hpp"
#include "kernels/quantized_patch_embed/quantized_patch_embed.hpp"
#include "kernels/tokens/tokens.hpp"

namespace edgelab::graph {
namespace {

using kernels::ActivationKind;
using kernels::Attention;
using kernels::LayerNorm;
using kernels::Linear;
using kernels::PatchEmbed;
using kernels::QuantizedAttention;
using kernels::QuantizedLinear;
using kernels::QuantizedMlp;
using kernels::QuantizedPatchEmbed;
using kernels::U8Grid;

U8Grid on(const Grid& grid) { return {grid.scale, grid.zero_point}; }

// The graph in integers, one node for each of a float graph's.
class Quantizer {
 public:
  Quantizer(const Graph& graph, const Quantization& quantization) : pattern_(graph), quantization_(quantization), rewrite_(graph) {}

  Graph run() {
    for (const Node& node : pattern_.graph().nodes()) {
      if (const LayerQuantization* layer = integer_linear(node)) {
        emit_linear(node, *layer);
      } else if (integer_patches(node) != nullptr) {
        emit_patches(node, *integer_patches(node));
      } else if (const AttentionQuantization* attention = integer_attention(node)) {
        emit_attention(node, *attention);
      } else {
        rewrite_.copy(node);
      }
    }
    return rewrite_.finish();
  }

 private:

  const Value& value(ValueId id) const { return pattern_.graph().value(id); }
  bool known(const Node& node, std::size_t first, std::size_t count) const {
    return std::all_of(node.inputs.begin() + static_cast<std::ptrdiff_t>(first), node.inputs.begin() + static_cast<std::ptrdiff_t>(first + count),
                       [&](ValueId id) { return value(id).known(); });
  }

  // By the layer's weight: a layer that is computed for selected tokens apart has nodes of other names.
  const LayerQuantization* layer_of(ValueId weight) const {
    std::string name = value(weight).name;
    if (name.ends_with(".weight")) name.resize(name.size() - 7);
    const auto found = quantization_.layers.find(name);
    return found == quantization_.layers.end() ? nullptr : &found->second;
  }

  const LayerQuantization* integer_linear(const Node& node) const {
    const auto* linear = node.op.as<Linear>();
    if (linear == nullptr || !known(node, 1, linear->has_bias ? 2 : 1)) return nullptr;
    if (linear->activation == ActivationKind::relu6 || (linear->has_residual && linear->activation != ActivationKind::none)) return nullptr;
    return layer_of(node.inputs[1]);
  }

  const LayerQuantization* integer_patches(const Node& node) const {
    return node.op.as<PatchEmbed>() != nullptr && known(node, 1, node.inputs.size() - 1) ? layer_of(node.inputs[1]) : nullptr;
  }

  // Attention in integers takes queries, keys and values from a layer that gives them so.
  const AttentionQuantization* integer_attention(const Node& node) const {
    const auto* attention = node.op.as<Attention>();
    if (attention == nullptr || attention->causal || attention->has_bias || attention->with_log_sum_exp || attention->scale < 0) return nullptr;
    const auto found = quantization_.attentions.find(node.name);
    if (found == quantization_.attentions.end()) return nullptr;
    const Node* qkv = pattern_.only_for_us<Linear>(node.inputs[0]);
    if (qkv == nullptr || integer_linear(*qkv) == nullptr || qkv->op.as<Linear>()->has_residual) return nullptr;
    return &found->second;
  }

  // The grid that every reader of the value brings it to, if all are integer layers and agree; nothing else may read it.
  std::optional<U8Grid> grid_of_readers(ValueId id) const {
    const auto& readers = pattern_.readers(id);
    if (readers.empty() || pattern_.uses(id) != static_cast<int>(readers.size())) return std::nullopt;
    std::optional<U8Grid> common;
    for (const Node* reader : readers) {
      std::optional<U8Grid> grid;
      if (reader->op.as<kernels::SelectToken>() != nullptr) grid = grid_of_readers(reader->outputs[0]);
      const LayerQuantization* layer = integer_linear(*reader);
      if (layer != nullptr && reader->inputs[0] == id && std::count(reader->inputs.begin(), reader->inputs.end(), id) == 1) grid = on(layer->input);
      if (!grid || (common && *common != *grid)) return std::nullopt;
      common = grid;
    }
    return common;
  }

  std::vector<U8Grid> grids_of_outputs(const Node& node) const {
    const Node* attention = pattern_.reader<Attention>(node);
    if (attention != nullptr) {
      const AttentionQuantization* grids = integer_attention(*attention);
      if (grids != nullptr) return {on(grids->queries), on(grids->keys), on(grids->values)};
    }
    const auto grid = grid_of_readers(node.outputs[0]);
    return grid ? std::vector{*grid} : std::vector<U8Grid>{};
  }

  // Of a weight that several layers share, one.
  const IntegerWeight& weight(ValueId old, const LayerQuantization& layer) {
    const auto [place, fresh] = weights_.try_emplace(old);
    if (fresh) place->second = add_integer_weight(rewrite_, old, layer);
    return place->second;
  }

  void emit(const Node& node, Op op, const std::vector<ValueId>& inputs) { rewrite_.map(node.outputs[0], rewrite_.to().add(node.name, std::move(op), inputs)); }

  void emit_linear(const Node& node, const LayerQuantization& layer) {
    const auto& linear = *node.op.as<Linear>();
    QuantizedLinear op;
    op.input = on(layer.input);
    op.weight_bits = layer.weight_bits;
    op.has_bias = linear.has_bias;
    op.has_residual = linear.has_residual;
    op.activation = linear.activation;
    if (!op.has_residual) op.outputs = grids_of_outputs(node);
    const IntegerWeight w = weight(node.inputs[1], layer);
    std::vector<ValueId> inputs = {rewrite_.carry(node.inputs[0]), w.numbers, w.scale};
    for (std::size_t i = 2; i < node.inputs.size(); ++i) inputs.push_back(rewrite_.carry(node.inputs[i]));
    emit(node, op, inputs);
  }

  void emit_patches(const Node& node, const LayerQuantization& layer) {
    const IntegerWeight w = weight(node.inputs[1], layer);
    std::vector<ValueId> inputs = {rewrite_.carry(node.inputs[0]), w.numbers, w.scale};
    for (std::size_t i = 2; i < node.inputs.size(); ++i) inputs.push_back(rewrite_.carry(node.inputs[i]));
    emit(node, QuantizedPatchEmbed{*node.op.as<PatchEmbed>(), on(layer.input), layer.weight_bits}, inputs);
  }

  void emit_attention(const Node& node, const AttentionQuantization& grids) {
    const auto& attention = *node.op.as<Attention>();
    emit(node, QuantizedAttention{attention.heads, attention.scale, on(grids.queries), on(grids.keys), on(grids.values), grid_of_readers(node.outputs[0])},
         {rewrite_.carry(node.inputs[0])});
  }

  Pattern pattern_;
  const Quantization& quantization_;
  Rewrite rewrite_;
  std::map<ValueId, IntegerWeight> weights_;
};

// layer_norm → quantized_linear. Not by fuse_where: unfused, the plan might find another layer_norm faster, whose last bits differ,
// and so would the results.
Graph take_in_layer_norms(const Graph& graph) {
  const Pattern pattern(graph);
  Rewrite rewrite(graph);
  const auto norm_of = [&](const Node& node) {
    const auto* linear = node.op.as<QuantizedLinear>();
    return linear == nullptr || linear->epsilon ? nullptr : pattern.only_for_us<LayerNorm>(node.inputs[0]);
  };
  for (const Node& node : graph.nodes()) {
    const Node* linear = pattern.reader<QuantizedLinear>(node);
    if (linear != nullptr && norm_of(*linear) == &node) continue;
    const Node* norm = norm_of(node);
    if (norm == nullptr) {
      rewrite.copy(node);
      continue;
    }
    QuantizedLinear fused = *node.op.as<QuantizedLinear>();
    fused.epsilon = norm->op.as<LayerNorm>()->epsilon;
    std::vector<ValueId> inputs = norm->inputs;
    inputs.insert(inputs.end(), node.inputs.begin() + 1, node.inputs.end());
    rewrite.map(node.outputs[0], rewrite.to().add(node.name, fused, rewrite.carry(inputs)));
  }
  return rewrite.finish();
}

// x → quantized_linear with its layer_norm and activation, to u8 → quantized_linear, + x
std::optional<Fusion> quantized_mlp(const Pattern& pattern, const Node& last) {
  const auto* down = last.op.as<QuantizedLinear>();
  if (down == nullptr || !down->has_bias || !down->has_residual) return std::nullopt;
  const Node* first = pattern.only_for_us<QuantizedLinear>(last.inputs[0]);
  if (first == nullptr || first->inputs[0] != last.inputs[down->residual_input()]) return std::nullopt;
  const auto* up = first->op.as<QuantizedLinear>();
  if (!up->epsilon || !up->has_bias || up->outputs.size() != 1) return std::nullopt;
  QuantizedMlp fused;
  fused.epsilon = *up->epsilon;
  fused.activation = up->activation;
  fused.input = up->input;
  fused.hidden = down->input;
  fused.up_bits = up->weight_bits;
  fused.down_bits = down->weight_bits;
  std::vector<ValueId> inputs = first->inputs;
  inputs.insert(inputs.end(), last.inputs.begin() + 1, last.inputs.begin() + 4);
  return Fusion{fused, inputs, {first, &last}};
}

}  // namespace

Graph quantize_transformer(const Graph& graph, const Quantization& quantization) {
  return Quantizer(fuse_patch_embed(graph), quantization).run();
}

Graph fuse_quantized_transformer(const Graph& graph) { return fuse_where(take_in_layer_norms(graph), quantized_mlp); }

}  // namespace edgelab::graph
