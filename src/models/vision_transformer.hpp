#pragma once

#include <cstdint>

#include "graph/graph.hpp"

namespace edgelab::models {

// img_size must be a multiple of patch_size, embed_dim of num_heads.
struct VisionTransformerSettings {
  int classes = 1000;
  int img_size = 224, patch_size = 16;  // pixels
  int depth = 12, embed_dim = 192, num_heads = 3;
  bool distillation_token = false, layer_scale = false, class_token_position = true;  // see VitDefaults
};

// The vision transformer (Dosovitskiy et al. 2021) and its DeiT forms (Touvron et al. 2021, 2022) as timm builds them, by
// timm's names: pre-norm with epsilon 1e-6, exact GELU, MLP four times as wide, a linear head on the class token.
graph::Graph vision_transformer(const VisionTransformerSettings& settings, std::int64_t batch);

}  // namespace edgelab::models
