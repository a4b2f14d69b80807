#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "graph/graph.hpp"

namespace edgelab::train {

// Low-rank adapters (Hu et al. 2021): a linear layer's y = x Wᵀ + b becomes x Wᵀ + b + (x Aᵀ) Bᵀ · alpha / rank.
struct LoraSettings {
  int rank = 8;
  double alpha = 16.0;
  // Last parts of the names of the layers: "attn.qkv" stands for that layer of every block.
  std::vector<std::string> targets = {"attn.qkv", "attn.proj"};
};

// The model with adapters. Their parameters are called LAYER.lora_A.weight [rank, inputs] and LAYER.lora_B.weight [outputs,
// rank], as the PEFT library has it; A is drawn from `seed` (uniform, ±1/√inputs), B is zero, so that the model computes what
// it did before. Throws Error (usage) for a target that is no linear layer's name.
graph::Graph add_lora(const graph::Graph& model, const LoraSettings& settings, std::uint64_t seed);

// The other way: a model without adapters whose weights are W + B A · alpha / rank. All weights must have data; those of
// layers without adapters are shared.
graph::Graph merge_lora(const graph::Graph& adapted, const graph::Graph& model);

}  // namespace edgelab::train
