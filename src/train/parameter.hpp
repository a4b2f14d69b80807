#pragma once

#include <span>
#include <string>
#include <string_view>

#include "core/shape.hpp"

namespace edgelab::train {

// A parameter that is trained, where it lies: the graph's tensor, which must stay where it is.
struct Parameter {
  std::string name;
  Shape shape;
  std::span<float> values;
};

// Whether weight decay is for this parameter: not for norms and biases (of rank below 2), nor for class and distillation
// tokens and position embeddings (Touvron et al. 2021; no_weight_decay() of timm).
bool decays(std::string_view name, const Shape& shape);

}  // namespace edgelab::train
