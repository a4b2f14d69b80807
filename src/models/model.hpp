#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "graph/graph.hpp"
#include "models/arch.hpp"

namespace edgelab::models {

// Which model to build. What is left empty is the architecture's own.
struct ModelOptions {
  std::string arch;  // a name of arches()
  std::optional<int> classes;
  std::optional<int> input_size;  // pixels; for the ViT family another word for img_size
  std::optional<int> img_size, patch_size, depth, embed_dim, num_heads;  // ViT family
  std::optional<double> width_mult;                                      // MobileNetV2
};

struct OptionProblem {
  std::string key;  // as in `model:` of a job file: "depth"
  std::string what, got, expected;
};

// Everything about the options that doesn't fit the architecture; empty if build() will accept them.
// Throws Error (usage) only for an unknown `arch`.
std::vector<OptionProblem> problems_of(const ModelOptions& options);

// Side of the square images the model takes, pixels.
int input_size_of(const ModelOptions& options);

// The model for batches of `batch` images, in inference mode, unfolded and with its weights unbound: one input "images"
// [batch, 3, S, S] fp32, normalised; one output, logits [batch, classes]. Layers and weights bear torchvision's or timm's names.
// Throws Error (usage), naming the key, for the first of problems_of(options), or if batch < 1.
graph::Graph build(const ModelOptions& options, std::int64_t batch);

}  // namespace edgelab::models
