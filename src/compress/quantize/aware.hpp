#pragma once

#include "graph/graph.hpp"
#include "graph/quantization.hpp"

// Quantization-aware training: a folded model whose weights and activations go through kernels/fake_quantize, with the scales as
// parameters that are learned like all others.
namespace edgelab::compress {

// `folded`: graph::fold_weights of a model, bound. The parameters LAYER.weight.log2_scale and LAYER.input.log2_scale come behind the
// model's own; a value that several layers read has one, of the first of them. What integer attention computes stays in floats.
graph::Graph with_fake_quantization(const graph::Graph& folded, const graph::Quantization& quantization);

// What training made of it: the scales as they are now; everything else as in `before`.
graph::Quantization learned_quantization(const graph::Graph& trained, const graph::Quantization& before);

// Whether a parameter is one of those scales.
bool is_learned_scale(const std::string& parameter);

}  // namespace edgelab::compress
