#pragma once

#include <string>

#include "graph/graph.hpp"
#include "models/vision_transformer.hpp"
#include "support/random_tensor.hpp"

namespace edgelab::runtime::testing {

// Three blocks of three heads on 64 patches, its weights drawn.
inline graph::Graph small_transformer(bool distilled, std::int64_t batch) {
  models::VisionTransformerSettings settings;
  settings.img_size = 64;
  settings.patch_size = 8;
  settings.embed_dim = 96;
  settings.depth = 3;
  settings.num_heads = 3;
  settings.classes = 70;
  settings.distillation_token = distilled;
  graph::Graph graph = models::vision_transformer(settings, batch);
  for (const graph::ValueId id : graph.weights()) {
    const std::string& name = graph.value(id).name;
    const bool gain = name.find("norm") != std::string::npos && name.ends_with("weight");
    graph.bind(id, test::random_tensor(graph.type(id).shape, stream_key(3, name), 0.1f, gain ? 1.0f : 0.0f));
  }
  return graph;
}

}  // namespace edgelab::runtime::testing
