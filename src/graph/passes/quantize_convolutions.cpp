#include <map>
#include <optional>
#include <set>

#include "graph/passes/fusion.hpp"
#include "graph/passes/integer_weight.hpp"
#include "graph/passes/passes.hpp"
#include "kernels/conv2d/conv2d.hpp"
#include "kernels/pool/global_average_pool.hpp"
#include "kernels/pool/quantized_average_pool.hpp"
#include "kernels/quantize/quantize.hpp"
#include "kernels/quantized_conv2d/quantized_conv2d.hpp"
#include "kernels/quantized_inverted_residual/quantized_inverted_residual.hpp"

namespace edgelab::graph {
namespace {

using kernels::ActivationKind;
using kernels::Conv2d;
using kernels::Dequantize;
using kernels::GlobalAveragePool;
using kernels::Quantize;
using kernels::QuantizedAveragePool;
using kernels::QuantizedConv2d;
using kernels::QuantizedInvertedResidual;
using kernels::U8Grid;

// The graph with its convolutions in integers, one node for each of a float graph's, and conversions where the two meet.
class ConvolutionQuantizer {
 public:
  ConvolutionQuantizer(const Graph& graph, const Quantization& quantization) : pattern_(graph), quantization_(quantization), rewrite_(graph) {}

  Graph run() {
    for (const Node& node : pattern_.graph().nodes()) {
      if (const LayerQuantization* layer = integer_layer(node)) {
        emit_convolution(node, *layer);
      } else if (node.op.as<GlobalAveragePool>() != nullptr && bytes_.contains(node.inputs[0])) {
        const auto& [now, grid] = bytes_.at(node.inputs[0]);
        rewrite_.map(node.outputs[0], rewrite_.to().add(node.name, QuantizedAveragePool{grid}, {now}));
      } else {
        for (const ValueId input : node.inputs) make_floats(input);
        rewrite_.copy(node);
      }
    }
    for (const ValueId output : pattern_.graph().outputs()) make_floats(output);
    return rewrite_.finish();
  }

 private:
  struct Bytes {
    ValueId now;
    U8Grid grid;
  };

  const Value& value(ValueId id) const { return pattern_.graph().value(id); }

  const LayerQuantization* integer_layer(const Node& node) const {
    const auto* conv = node.op.as<Conv2d>();
    if (conv == nullptr || !conv->has_bias || conv->activation == ActivationKind::gelu || !value(node.inputs[1]).known() || !value(node.inputs[2]).known()) return nullptr;
    const auto found = quantization_.layers.find(node.name);
    if (found == quantization_.layers.end() || value(node.inputs[0]).known()) return nullptr;
    // A sum of two values is one of bytes if both are.
    if (conv->has_residual && (conv->activation != ActivationKind::none || !grid_of(node.outputs[0]) || !grid_of(node.inputs[conv->residual_input()]))) return nullptr;
    return &found->second;
  }

  // What integer convolutions that read the value bring it to; a value that is pooled alone keeps the range of its activation.
  std::optional<U8Grid> grid_of(ValueId id) const {
    for (const Node* reader : pattern_.readers(id)) {
      const auto found = quantization_.layers.find(reader->name);
      const bool reads = reader->op.as<Conv2d>() != nullptr && reader->inputs[0] == id && found != quantization_.layers.end();
      if (reads) return U8Grid{found->second.input.scale, found->second.input.zero_point};
    }
    const Node* producer = pattern_.producer<Conv2d>(id);
    const bool bounded = producer != nullptr && producer->op.as<Conv2d>()->activation == ActivationKind::relu6;
    const auto& readers = pattern_.readers(id);
    if (bounded && readers.size() == 1 && pattern_.uses(id) == 1 && readers.front()->op.as<GlobalAveragePool>() != nullptr) return U8Grid{6.0F / 255.0F, 0};
    return std::nullopt;
  }

  // The value as bytes on its grid: as its layer gave it, or made now.
  Bytes bytes_of(ValueId id, const U8Grid& grid) {
    const auto found = bytes_.find(id);
    if (found != bytes_.end() && found->second.grid == grid) return found->second;
    make_floats(id);
    floats_.insert(id);
    const Bytes made{rewrite_.to().add(value(id).name + ".quantize", Quantize{grid}, {rewrite_.carry(id)}), grid};
    bytes_.insert_or_assign(id, made);
    return made;
  }

  // For readers that don't know bytes.
  void make_floats(ValueId id) {
    const auto found = bytes_.find(id);
    if (found == bytes_.end() || floats_.contains(id) || value(id).kind == ValueKind::input) return;
    rewrite_.map(id, rewrite_.to().add(value(id).name + ".dequantize", Dequantize{found->second.grid}, {found->second.now}));
    floats_.insert(id);
  }

  // A network's first convolution brings the image to the grid by itself.
  bool quantizes_image(const Node& node, const Conv2d& conv) const {
    const bool first = conv.groups == 1 && !conv.has_residual && pattern_.graph().type(node.inputs[0]).shape[1] <= 4 && pattern_.uses(node.inputs[0]) == 1;
    return first && !bytes_.contains(node.inputs[0]);
  }

  void emit_convolution(const Node& node, const LayerQuantization& layer) {
    const auto& conv = *node.op.as<Conv2d>();
    QuantizedConv2d op{conv.stride, conv.padding, conv.groups, conv.activation, {layer.input.scale, layer.input.zero_point}, grid_of(node.outputs[0]), std::nullopt};
    const ValueId x = quantizes_image(node, conv) ? rewrite_.carry(node.inputs[0]) : bytes_of(node.inputs[0], op.input).now;
    const auto [numbers, scale] = add_integer_weight(rewrite_, node.inputs[1], layer);
    std::vector<ValueId> inputs = {x, numbers, scale, rewrite_.carry(node.inputs[2])};
    if (conv.has_residual) {
      const ValueId shortcut = node.inputs[conv.residual_input()];
      op.residual = grid_of(shortcut);
      inputs.push_back(bytes_of(shortcut, *op.residual).now);
    }
    const ValueId y = rewrite_.to().add(node.name, op, inputs);
    if (op.output) {
      bytes_.insert_or_assign(node.outputs[0], Bytes{y, *op.output});
    } else {
      rewrite_.map(node.outputs[0], y);
      floats_.insert(node.outputs[0]);
    }
  }

  Pattern pattern_;
  const Quantization& quantization_;
  Rewrite rewrite_;
  std::map<ValueId, Bytes> bytes_;   // of the old graph's values, those that are u8 in the new one
  std::set<ValueId> floats_;        // and those of them that are there as f32 too
};

bool pointwise(const Graph& graph, const Node& node, const QuantizedConv2d& conv) {
  return is_pointwise(Conv2d{.stride = conv.stride, .padding = conv.padding, .groups = conv.groups}, graph.type(node.inputs[1]).shape);
}

// The block that ends with this node.
std::optional<Fusion> inverted_residual(const Pattern& pattern, const Node& last) {
  const Graph& graph = pattern.graph();
  const auto* project = last.op.as<QuantizedConv2d>();
  if (project == nullptr || !project->output || project->activation != ActivationKind::none || !pointwise(graph, last, *project)) return std::nullopt;
  const Node* depthwise = pattern.only_for_us<QuantizedConv2d>(last.inputs[0]);
  if (depthwise == nullptr) return std::nullopt;
  const auto* filter = depthwise->op.as<QuantizedConv2d>();
  const Conv2d shapes{.stride = filter->stride, .padding = filter->padding, .groups = filter->groups};
  if (!filter->output || filter->residual || !is_depthwise_3x3(shapes, graph.type(depthwise->inputs[1]).shape)) return std::nullopt;
  std::vector<const Node*> nodes = {depthwise, &last};
  const Node* expand = pattern.only_for_us<QuantizedConv2d>(depthwise->inputs[0]);
  const auto* expansion = expand == nullptr ? nullptr : expand->op.as<QuantizedConv2d>();
  const bool reads_image = expansion != nullptr && graph.type(expand->inputs[0]).dtype == DType::f32;
  if (expansion != nullptr && expansion->output && !expansion->residual && expansion->groups == 1 && (reads_image || pointwise(graph, *expand, *expansion))) {
    nodes.insert(nodes.begin(), expand);
  }
  const ValueId x = nodes.front()->inputs[0];
  if (graph.type(x).dtype == DType::f32 && nodes.size() == 2) return std::nullopt;
  if (project->residual && last.inputs[4] != x) return std::nullopt;
  QuantizedInvertedResidual op;
  std::vector<ValueId> inputs = {x};
  for (const Node* node : nodes) {
    op.convolutions.push_back(*node->op.as<QuantizedConv2d>());
    inputs.insert(inputs.end(), node->inputs.begin() + 1, node->inputs.begin() + 4);
  }
  return Fusion{op, inputs, nodes, common_layer(depthwise->name, last.name)};
}

}  // namespace

Graph quantize_convolutions(const Graph& graph, const Quantization& quantization) { return ConvolutionQuantizer(graph, quantization).run(); }

Graph fuse_quantized_inverted_residual(const Graph& graph) { return fuse_where(graph, inverted_residual); }

}  // namespace edgelab::graph
