#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.hpp"

namespace edgelab::train {

// Which parameters of a model move.
struct TrainableSettings {
  enum class What : std::uint8_t {
    all,
    head,  // the classifier; of a model with a distillation token both
    last,  // the last so many blocks, and what comes after them
    lora   // the adapters, which must be there already (train/lora.hpp), and the classifier
  };
  What what = What::all;
  int last = 0;  // transformer blocks, or inverted residuals
};

// Names of the parameters that move, in the model's order. Throws Error (usage) if the model has fewer blocks than `last`.
std::vector<std::string> trainable_parameters(const graph::Graph& model, const TrainableSettings& settings);

// Whether a parameter of this name, as torchvision and timm call it, belongs to the classifier.
bool is_head(std::string_view parameter);

}  // namespace edgelab::train
