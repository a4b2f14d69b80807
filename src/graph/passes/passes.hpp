#pragma once

#include "graph/graph.hpp"
#include "graph/quantization.hpp"
#include "kernels/attention/attention.hpp"

namespace edgelab::graph {

// Each pass makes a new graph that computes the same, within rounding. Weights must be bound where a pass folds numbers
// into them; where they are not, the pattern is left alone. Order: fold first, then fuse.

// Nodes whose inputs are all known become constants (the class and distillation tokens as one row).
Graph fold_constants(const Graph& graph);

// conv2d → batch_norm becomes one conv2d with a bias: w' = w · γ/√(σ²+ε), b' = β − μ · γ/√(σ²+ε) (+ b · γ/√(σ²+ε)).
Graph fold_batch_norm(const Graph& graph);

// linear → multiply by one known number a column (LayerScale) becomes one linear with scaled weight and bias.
Graph fold_scale(const Graph& graph);

// Both: what a quantized model keeps of its weights.
Graph fold_weights(const Graph& graph);

// conv2d or linear → activation becomes one node.
Graph fuse_activation(const Graph& graph);

// conv2d or linear → add of a value of the same shape becomes one node with a residual input.
Graph fuse_residual(const Graph& graph);

// fold_constants, fold_weights and these two: the layers that quantization knows by name, each one node.
Graph quantizable_layers(const Graph& graph);

// select_token moves in front of ops that work on each token by itself (the last block's second half, the last normalisation):
// they are then computed for the one token that is asked for.
Graph select_early(const Graph& graph);

// The blocks of a vision transformer, each as one node that keeps what it stands for. After the passes above.
Graph fuse_patch_embed(const Graph& graph);        // conv2d, to_tokens, concat_tokens and the positions
Graph fuse_mlp(const Graph& graph);                // layer_norm, linear with its activation, linear with its residual
Graph fuse_layer_norm_linear(const Graph& graph);  // the other layer_norms that one linear reads

// [1×1 conv2d with relu6, or a first one of any size →] 3×3 depthwise conv2d with relu6 → 1×1 conv2d [+ what the first one
// read] becomes one inverted_residual. All have a bias, and nothing else reads what lies between. After the fusions above.
Graph fuse_inverted_residual(const Graph& graph);

// A vision transformer's layers that have an entry become integer ones, one node for one: patches, linear layers, attention. A value
// that only integer layers read, on one grid, is u8. Others stay as they are. After select_early, on fp32, before other fusions.
Graph quantize_transformer(const Graph& graph, const Quantization& quantization);
// Behind it: layer_norm and the quantized_linear that reads it become one, and an MLP's three nodes.
Graph fuse_quantized_transformer(const Graph& graph);

// Convolutions that have an entry become integer ones, one node for one. A value on the grid of the integer layers that read it is
// u8; it is quantized or dequantized where an integer and a float layer meet. After fuse_residual, on fp32, before other fusions.
Graph quantize_convolutions(const Graph& graph, const Quantization& quantization);
// Behind it: what fuse_inverted_residual does, of integer convolutions.
Graph fuse_quantized_inverted_residual(const Graph& graph);

// Leaves out nodes and weights that no output needs. Inputs stay.
Graph remove_dead(const Graph& graph);

// Every op that has the choice rounds the operands of its products to `type` (f32, bf16).
Graph set_compute(const Graph& graph, DType type);

// Every attention is computed by `algorithm`, or not at all.
Graph set_attention(const Graph& graph, kernels::Attention::Algorithm algorithm);

// After set_compute, set_attention and the fusions: queries, keys, values and what attention makes of them travel as bf16
// where every reader would round them to it.
Graph narrow_values(const Graph& graph);

// The same for a graph with its gradients, after set_compute: normalised rows, activations, queries, keys, values and what
// attention makes of them. Nothing but the last is computed from other numbers than before; all take half the memory.
Graph narrow_training_values(const Graph& graph);

// All of the above but these three in their order: what inference runs unless a job says `graph: eager`.
Graph optimise(const Graph& graph);

// A model that is quantized, layer by layer: folds, then integers. Layers without an entry stay in floating point.
Graph quantized_layers(const Graph& graph, const Quantization& quantization);
// The same and then fusions: what inference of it runs.
Graph optimise_quantized(const Graph& graph, const Quantization& quantization);

}  // namespace edgelab::graph
