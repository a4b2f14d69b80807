#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "graph/quantization.hpp"
#include "models/safetensors/safetensors.hpp"

// The tensors of a quantized model in a file. In the place of an integer layer's weight W = "LAYER.weight", f32, stand
//   W        I8, its shape: numbers of 8 bits; or
//   W.int4   U8 [⌈n/2⌉]: numbers of 4 bits in two's complement, row-major, the first of two in the low half; its shape stands in
//            the metadata
//   W.scale  F32 [1] or [outputs]: real = scale · number
// and the metadata entry kQuantization is a JSON object:
//   {"layers": {LAYER: {"bits": 8 or 4, "input": GRID, "shape": [of 4 bits]}},
//    "attentions": {LAYER: {"queries": GRID, "keys": GRID, "values": GRID}}},   GRID = [scale, zero point] of the u8 that it reads
// Everything else is F32, batch normalisations and LayerScale folded into the layers before them.
namespace edgelab::models {

inline constexpr const char* kQuantization = "edgelab.quantization";

// The tensors of a folded model as they are written. Its weights must lie on their grids: they are divided by their scales and
// rounded. Adds kQuantization to the metadata. Throws Error (usage) for a layer of `quantization` that has no weight.
std::vector<NamedTensor> with_integers(std::span<const NamedTensor> folded, const graph::Quantization& quantization, std::map<std::string, std::string>& metadata);

// The other way: floats, and kQuantization taken out of the metadata. Throws Error (data), naming `file`, if any of it contradicts
// itself.
std::vector<NamedTensor> without_integers(std::vector<NamedTensor> tensors, std::map<std::string, std::string>& metadata, graph::Quantization& quantization, const std::string& file);

}  // namespace edgelab::models
