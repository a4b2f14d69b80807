#include <algorithm>

#include "graph/passes/fusion.hpp"
#include "graph/passes/passes.hpp"
#include "kernels/binary/binary.hpp"
#include "kernels/conv2d/conv2d.hpp"
#include "kernels/patch_embed/patch_embed.hpp"
#include "kernels/tokens/tokens.hpp"

namespace edgelab::graph {
namespace {

using kernels::Binary;
using kernels::ConcatTokens;
using kernels::Conv2d;
using kernels::PatchEmbed;
using kernels::ToTokens;

// Squares side by side, nothing behind them.
bool cuts_patches(const Graph& graph, const Node& node) {
  const auto& conv = *node.op.as<Conv2d>();
  const Shape& weight = graph.type(node.inputs[1]).shape;
  const bool all_known = std::all_of(node.inputs.begin() + 1, node.inputs.end(), [&](ValueId id) { return graph.value(id).known(); });
  return all_known && weight[2] == conv.stride && weight[3] == conv.stride && conv.padding == 0 && conv.groups == 1 && !conv.has_residual &&
         conv.activation == kernels::ActivationKind::none;
}

// A sum with known numbers, one a token: b's place, or nothing.
std::optional<ValueId> position_of(const Graph& graph, const Node& node) {
  const auto* sum = node.op.as<Binary>();
  if (sum == nullptr || sum->kind != Binary::Kind::add) return std::nullopt;
  const Shape& x = graph.type(node.outputs[0]).shape;
  const Value& position = graph.value(node.inputs[1]);
  if (!position.known() || position.type.shape != Shape{1, x[1], x[2]}) return std::nullopt;
  return node.inputs[1];
}

// convolution → to_tokens, then a sum with positions, then the prefix tokens, then a sum with positions; one sum at most.
// Walks backwards from the last of them.
std::optional<Fusion> patch_embed(const Pattern& pattern, const Node& last) {
  const Graph& graph = pattern.graph();
  PatchEmbed fused;
  std::vector<const Node*> nodes;
  std::vector<ValueId> prefix;
  std::optional<ValueId> position;
  const Node* node = &last;
  const auto step_back = [&](ValueId value) {
    nodes.insert(nodes.begin(), node);
    node = pattern.only_for_us<Conv2d>(value);
    if (node == nullptr) node = pattern.only_for_us<ToTokens>(value);
    if (node == nullptr) node = pattern.only_for_us<ConcatTokens>(value);
    if (node == nullptr) node = pattern.only_for_us<Binary>(value);
    return node != nullptr;
  };
  const auto take_position = [&](PatchEmbed::Positions rows) {
    const auto found = position ? std::nullopt : position_of(graph, *node);
    if (!found) return true;
    position = found;
    fused.positions = rows;
    return step_back(node->inputs[0]);
  };
  if (!take_position(PatchEmbed::Positions::all)) return std::nullopt;
  if (node->op.as<ConcatTokens>() != nullptr) {
    prefix.assign(node->inputs.begin(), node->inputs.end() - 1);
    if (!std::all_of(prefix.begin(), prefix.end(), [&](ValueId id) { return graph.value(id).known(); })) return std::nullopt;
    if (!step_back(node->inputs.back())) return std::nullopt;
    if (!take_position(PatchEmbed::Positions::patches)) return std::nullopt;
  }
  if (node->op.as<ToTokens>() == nullptr || !step_back(node->inputs[0])) return std::nullopt;
  if (node->op.as<Conv2d>() == nullptr || !cuts_patches(graph, *node)) return std::nullopt;
  nodes.insert(nodes.begin(), node);
  fused.has_bias = node->op.as<Conv2d>()->has_bias;
  fused.compute = node->op.as<Conv2d>()->compute;
  fused.prefix_inputs = static_cast<int>(prefix.size());
  std::vector<ValueId> inputs = node->inputs;
  inputs.insert(inputs.end(), prefix.begin(), prefix.end());
  if (position) inputs.push_back(*position);
  return Fusion{fused, inputs, nodes};
}

}  // namespace

Graph fuse_patch_embed(const Graph& graph) { return fuse_where(graph, patch_embed); }

}  // namespace edgelab::graph
