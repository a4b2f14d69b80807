#include <algorithm>

#include "graph/passes/passes.hpp"
#include "graph/passes/rewrite.hpp"

namespace edgelab::graph {

Graph fold_constants(const Graph& graph) {
  Rewrite rewrite(graph);
  // A node may use what was folded just before it, so its inputs are looked up in the new graph.
  for (const Node& node : graph.nodes()) {
    const auto known_now = [&](ValueId id) {
      const ValueKind kind = graph.value(id).kind;
      return kind != ValueKind::input && rewrite.to().value(rewrite.carry(id)).known();
    };
    if (node.inputs.empty() || !std::all_of(node.inputs.begin(), node.inputs.end(), known_now)) {
      rewrite.copy(node);
      continue;
    }
    std::vector<Tensor> inputs;
    for (const ValueId id : node.inputs) inputs.push_back(rewrite.to().value(rewrite.carry(id)).data);
    const std::vector<Tensor> results = kernels::evaluate_reference(node.op, inputs);
    for (std::size_t i = 0; i < results.size(); ++i) rewrite.map(node.outputs[i], rewrite.to().constant(node.name, results[i]));
  }
  return remove_dead(rewrite.finish());
}

Graph remove_dead(const Graph& graph) {
  std::vector<bool> needed(graph.values().size(), false);
  const auto need = [&](ValueId id) { needed[static_cast<std::size_t>(id.index)] = true; };
  const auto is_needed = [&](ValueId id) { return needed[static_cast<std::size_t>(id.index)]; };
  for (const ValueId id : graph.outputs()) need(id);
  std::vector<bool> alive(graph.nodes().size(), false);
  for (std::size_t n = graph.nodes().size(); n-- > 0;) {
    const Node& node = graph.nodes()[n];
    alive[n] = std::any_of(node.outputs.begin(), node.outputs.end(), is_needed);
    if (alive[n]) std::for_each(node.inputs.begin(), node.inputs.end(), need);
  }
  Rewrite rewrite(graph);
  for (std::size_t n = 0; n < graph.nodes().size(); ++n) {
    if (alive[n]) rewrite.copy(graph.nodes()[n]);
  }
  return rewrite.finish();
}

Graph fold_weights(const Graph& graph) { return fold_scale(fold_batch_norm(graph)); }

Graph quantizable_layers(const Graph& graph) { return fuse_residual(fuse_activation(fold_weights(fold_constants(graph)))); }

namespace {

Graph layers_of(const Graph& graph) { return select_early(quantizable_layers(graph)); }

Graph fuse_blocks(const Graph& layers) { return fuse_inverted_residual(fuse_layer_norm_linear(fuse_mlp(fuse_patch_embed(layers)))); }

}  // namespace

Graph optimise(const Graph& graph) { return fuse_blocks(layers_of(graph)); }

Graph quantized_layers(const Graph& graph, const Quantization& quantization) {
  // Patches first: their convolution is one of a transformer's layers.
  return quantize_convolutions(quantize_transformer(layers_of(graph), quantization), quantization);
}

Graph optimise_quantized(const Graph& graph, const Quantization& quantization) {
  return fuse_blocks(fuse_quantized_transformer(fuse_quantized_inverted_residual(quantized_layers(graph, quantization))));
}

}  // namespace edgelab::graph
